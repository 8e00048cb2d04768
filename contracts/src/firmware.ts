/**
 * Firmware on the wire: what a release is and who signed it, and what device and cloud say of an update, on
 * `device/{thing}/firmware/{attempt}/v1`. The wanted release stands in the named shadow `firmware`.
 */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Base64 = v.pipe(v.string(), v.base64());
const Sha256Hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'is no SHA-256 in hex'));
const Counter = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

export const FIRMWARE_SHADOW = 'firmware';

/** A product is a thing type: things of one type run the same releases. */
export const Product = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'is no name of a product'));
/** Also the value of an attribute in the registry of AWS IoT, which knows no `+`. */
export const FirmwareVersion = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/, 'is no version'));
export const MAX_IMAGE_BYTES = 4 * 1024 ** 3;

/** What stands in a release, besides its image. Its bytes are signed, not this object. */
export const FirmwareManifest = v.strictObject({
  type: v.literal('firmware'),
  product: Product,
  /** The hardware it is for, as devices call it: their `hardwareRevision`. */
  hardwareRevisions: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
    v.minLength(1),
    v.maxLength(50),
  ),
  version: FirmwareVersion,
  /** Rises with every release of the product. A device never goes back. */
  counter: Counter,
  /** The lowest counter from which one may come directly; one that is below has to take a release in between. */
  minimumCounter: v.optional(Counter, 1),
  sha256: Sha256Hex,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_IMAGE_BYTES)),
  /** Later than this no device begins it. */
  expiresAt: EpochMilliseconds,
});
export type FirmwareManifest = v.InferOutput<typeof FirmwareManifest>;

/** Bytes with signatures over them: ECDSA with P-256 and SHA-256, in DER. What is signed is `"thingstead " + type + "\n" + bytes`. */
export const SignedDocument = v.strictObject({
  /** JSON, in base64. Verified before it is read. */
  document: v.pipe(Base64, v.maxLength(64 * 1024)),
  signatures: v.pipe(
    v.array(v.strictObject({ keyId: Sha256Hex, signature: v.pipe(Base64, v.maxLength(200)) })),
    v.minLength(1),
    v.maxLength(10),
  ),
});
export type SignedDocument = v.InferOutput<typeof SignedDocument>;

/** A public key: SPKI in DER, in base64. Its id is the SHA-256 of that DER. */
const PublicKey = v.strictObject({ keyId: Sha256Hex, spki: Base64 });

/**
 * Whom a device trusts. The first one is installed with the device. Each next one (`version` + 1) is signed by `threshold` of the
 * release keys of the one before and of its own: so keys are rotated. It takes the highest counters back, which undoes a fast-forward.
 */
export const FirmwareTrust = v.strictObject({
  type: v.literal('trust'),
  version: Counter,
  /** They sign releases and the next trust document. */
  releaseKeys: v.pipe(v.array(PublicKey), v.minLength(1), v.maxLength(10)),
  /** So many different release keys have to sign. */
  threshold: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)),
  /** The cloud signs with it which release a device gets now. */
  assignmentKeys: v.pipe(v.array(PublicKey), v.minLength(1), v.maxLength(4)),
});
export type FirmwareTrust = v.InferOutput<typeof FirmwareTrust>;

/** What the cloud signs for one device and one request: with it, an old or other answer is of no use to anybody. */
export const FirmwareAssignment = v.strictObject({
  type: v.literal('assignment'),
  thing: v.pipe(v.string(), v.regex(THING_NAME)),
  attempt: v.string(),
  /** As the device has sent it. */
  nonce: v.string(),
  product: Product,
  counter: Counter,
  /** Of the manifest's bytes. */
  manifestSha256: Sha256Hex,
  expiresAt: EpochMilliseconds,
});
export type FirmwareAssignment = v.InferOutput<typeof FirmwareAssignment>;

/** A ULID: one try of one device within a rollout. */
export const AttemptId = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is no id of an attempt'));

/** `desired` of the named shadow. Without it the device keeps what it has. `cancelled`: it stops unless it has begun to restart. */
export const DesiredFirmware = v.object({
  attempt: AttemptId,
  product: Product,
  version: FirmwareVersion,
  counter: Counter,
  size: v.number(),
  cancelled: v.optional(v.boolean()),
});
export type DesiredFirmware = v.InferOutput<typeof DesiredFirmware>;

/** In this order; WAITING for room, battery or the end of something else. The last three are ends. */
export const UPDATE_STATES = [
  'WAITING',
  'DOWNLOADING',
  'VERIFYING',
  'INSTALLING',
  'RESTARTING',
  'HEALTH_CHECK',
  'COMMITTED',
  'ROLLED_BACK',
  'FAILED',
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** Why an update has failed; attacks by the names that TUF and Uptane give them. */
export const UPDATE_FAILURES = [
  'rollback',
  'freeze',
  'fast-forward',
  'mix-and-match',
  'endless-data',
  'slow-retrieval',
  'arbitrary-software',
  'wrong-hardware',
  'wrong-product',
  'unknown-key',
  'wrong-signature',
  'threshold',
  'hash-mismatch',
  'truncated',
  'oversize',
  'expired',
  'not-reachable-from-here',
  'malformed',
  'no-grant',
  'low-disk',
  'low-battery',
  'storage',
  'installer',
  'does-not-start',
  'unhealthy',
  'cancelled',
] as const;
export type UpdateFailure = (typeof UPDATE_FAILURES)[number];

/** On `running`, where an attempt stands: what the agent runs, once for each start of it. */
export const RUNNING_FIRMWARE = 'running';

/** `device/{thing}/firmware/{attempt}/v1`: what a device says. */
export const FirmwareRequest = v.variant('type', [
  v.object({ type: v.literal('grant'), nonce: v.pipe(v.string(), v.minLength(16), v.maxLength(64)) }),
  /** Where the update is. `COMMITTED` is said by the new version alone. Sent until the cloud has taken it. */
  v.object({
    type: v.literal('status'),
    state: v.picklist(UPDATE_STATES),
    /** Of the version that speaks. */
    version: FirmwareVersion,
    counter: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    /** Of DOWNLOADING. */
    bytes: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    failure: v.optional(v.picklist(UPDATE_FAILURES)),
    reason: v.optional(v.pipe(v.string(), v.maxLength(500))),
  }),
  /** On `running`. `counter` 0: not from a release. */
  v.object({
    type: v.literal('running'),
    product: v.optional(Product),
    hardwareRevision: v.optional(v.pipe(v.string(), v.maxLength(64))),
    version: FirmwareVersion,
    counter: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    trustVersion: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  }),
]);
export type FirmwareRequest = v.InferOutput<typeof FirmwareRequest>;

/** `.../accepted` */
export const FirmwareAnswer = v.variant('type', [
  v.object({
    type: v.literal('grant'),
    /** A signed FirmwareAssignment. */
    assignment: SignedDocument,
    /** A signed FirmwareManifest. */
    release: SignedDocument,
    /** Signed FirmwareTrust documents, oldest first, from the one after the device's own (as last said on `running`). */
    trust: v.pipe(v.array(SignedDocument), v.maxLength(10)),
    /** GET, also of a range; to be begun with before `expiresAt`. */
    url: v.string(),
    etag: v.string(),
    expiresAt: EpochMilliseconds,
  }),
  v.object({ type: v.literal('status'), state: v.picklist(UPDATE_STATES) }),
  v.object({ type: v.literal('running') }),
]);
export type FirmwareAnswer = v.InferOutput<typeof FirmwareAnswer>;

/** `.../rejected`. `retry`: ask again later; else this attempt is over. */
export const FirmwareRejection = v.object({
  type: v.string(),
  code: v.picklist(['invalid', 'unknown-attempt', 'wrong-state', 'yanked', 'expired', 'paused', 'busy']),
  reason: v.string(),
  retry: v.boolean(),
});
export type FirmwareRejection = v.InferOutput<typeof FirmwareRejection>;

/** What the rule hands to the function: any message on `device/{thing}/firmware/{attempt}/v1`. */
export const FirmwareEvent = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name')),
  attempt: v.string(),
  at: EpochMilliseconds,
  /** The message as it came, in base64. */
  payload: v.string(),
});
export type FirmwareEvent = v.InferOutput<typeof FirmwareEvent>;
