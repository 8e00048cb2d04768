/** Voice: what Alexa asks, the rows of the voice table, and what waits to be reported to Alexa. */
import * as v from 'valibot';
import { PersonId, personPartition, ThingName } from './grants.ts';
import { DescribedThing } from './onboarding.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html: an answer has at most so many endpoints.
 */
export const MAX_ENDPOINTS = 300;

/** How long a device may take to report what was asked of it. Alexa itself waits for eight seconds. */
export const DEVICE_PATIENCE_MS = 6_000;

/** What of a thing Alexa can know: each is a member of the shadow, or a sensor. */
export const VOICE_MEMBERS = ['power', 'brightness', 'temperature', 'contact', 'motion'] as const;
export type VoiceMember = (typeof VOICE_MEMBERS)[number];

// What Alexa asks. https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html

const Bearer = v.object({
  type: v.literal('BearerToken'),
  token: v.pipe(v.string(), v.minLength(1), v.maxLength(8192)),
});

/** A directive as Alexa invokes the function with it. The payload is read by whoever answers the directive. */
export const Directive = v.object({
  directive: v.object({
    header: v.object({
      namespace: v.string(),
      name: v.string(),
      payloadVersion: v.literal('3'),
      correlationToken: v.optional(v.pipe(v.string(), v.minLength(1))),
    }),
    endpoint: v.optional(
      v.object({
        scope: Bearer,
        endpointId: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_\-=#;:?@&]{1,256}$/, 'is no id of an endpoint')),
      }),
    ),
    payload: v.unknown(),
  }),
});
export type Directive = v.InferOutput<typeof Directive>['directive'];

export const DiscoverPayload = v.object({ scope: Bearer });

/** `grantee` is our own access token: it says who; `grant` is Amazon's code, taken once. */
export const AcceptGrantPayload = v.object({
  grant: v.object({ type: v.literal('OAuth2.AuthorizationCode'), code: v.pipe(v.string(), v.minLength(1)) }),
  grantee: Bearer,
});

// The things table, as far as voice reads it.

/** A thing that has described itself. */
export const VoiceThingRow = v.object({
  ...v.pick(DescribedThing, ['thing', 'model', 'serial', 'firmwareVersion', 'sensors', 'capabilities']).entries,
  presence: v.optional(v.object({ connected: v.boolean() })),
  label: v.optional(v.string()),
  /** The label is of the owner whose sight begins then; others do not see it. */
  labelledFor: v.optional(v.number()),
});
export type VoiceThingRow = v.InferOutput<typeof VoiceThingRow>;

// Rows of the voice table.

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** With what Alexa is told about a person's things. */
export function alexaLinkKey(person: string): Key {
  return { pk: personPartition(person), sk: 'alexa' };
}

const Ciphertext = v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is no binary value');

export const AlexaLinkRow = v.object({
  person: PersonId,
  /** New for each time the person links: what is written later for an earlier link does not count. */
  linkId: v.string(),
  /** Encrypted by KMS, for this person and this use only. */
  accessToken: Ciphertext,
  refreshToken: Ciphertext,
  /** Of the access token. */
  endsAt: EpochMilliseconds,
  linkedAt: EpochMilliseconds,
});
export type AlexaLinkRow = v.InferOutput<typeof AlexaLinkRow>;

/** All rows of what a person was told begin with it. */
export const REPORTED_PREFIX = 'reported#';

/** The last change of a thing's shadow of which Alexa was told for a person. */
export function reportedKey(person: string, thing: string): Key {
  return { pk: personPartition(person), sk: `${REPORTED_PREFIX}${thing}` };
}

export const ReportedRow = v.object({ version: v.number(), at: EpochMilliseconds });
export type ReportedRow = v.InferOutput<typeof ReportedRow>;

// What waits in the queue of reports.

const Members = v.record(v.string(), v.unknown());
const ShadowState = v.object({ reported: v.optional(Members), desired: v.optional(Members) });

/** `$aws/things/{thing}/shadow/update/documents`, when something changed of which Alexa can know. */
const ChangedShadow = v.object({
  kind: v.literal('shadow'),
  thing: ThingName,
  /** Epoch seconds. */
  timestamp: v.number(),
  /** Absent before the first report. */
  previous: v.optional(v.nullable(v.object({ state: v.optional(v.nullable(ShadowState)) }))),
  current: v.object({
    version: v.number(),
    state: ShadowState,
    metadata: v.optional(v.object({ reported: v.optional(Members) })),
  }),
});
export type ChangedShadow = v.InferOutput<typeof ChangedShadow>;

/** A grant came, changed or went: look what is true now. `target` as in the grant's row: `site#macdonald`. */
const ChangedGrant = v.object({
  kind: v.literal('grant'),
  person: PersonId,
  target: v.pipe(v.string(), v.regex(/^(thing|site)#[a-zA-Z0-9_-]{1,64}$/)),
});
export type ChangedGrant = v.InferOutput<typeof ChangedGrant>;

/** The person's profile is gone: they have left. */
const PersonLeft = v.object({ kind: v.literal('person-left'), person: PersonId });

export const VoiceReport = v.variant('kind', [ChangedShadow, ChangedGrant, PersonLeft]);
export type VoiceReport = v.InferOutput<typeof VoiceReport>;
