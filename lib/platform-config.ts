/** The deployment's settings: CDK context keys that begin with `thingstead:`, each with a default. */

import { PushApplications } from '@thingstead/contracts/notifications';
import { DeviceSettings } from '@thingstead/contracts/onboarding';
import * as v from 'valibot';

const PREFIX = 'thingstead:';

const Days = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650));
const Email = v.pipe(v.string(), v.email());

const Kinesis = v.strictObject({
  /**
   * `PROVISIONED` is the cheaper choice below about 100 GB a month: one shard costs 10.80 USD a month and takes 1 MB or
   * 1 000 messages a second. `ON_DEMAND` scales by itself, from 29 USD a month.
   */
  mode: v.optional(v.picklist(['PROVISIONED', 'ON_DEMAND']), 'PROVISIONED'),
  /** Number of shards; `PROVISIONED` only. */
  shards: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)), 1),
});

const Archive = v.strictObject({
  /** Every message also goes to S3, by date, and can be queried with Athena. */
  enabled: v.optional(v.boolean(), true),
  /** How long Firehose collects before it writes an object. 0 to 900, a limit of Firehose. */
  bufferSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(900)), 300),
});

const BillGuard = v.strictObject({
  /** A thing that sends more than this in an hour is reported, once an hour. The default is two a second. */
  messagesPerThingPerHour: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 7200),
});

const DelaySeconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7 * 86_400));

const Presence = v.strictObject({
  /** A thing that is offline for so long is told about. */
  offlineDelaySeconds: v.optional(DelaySeconds, 900),
  /** Things of one site or gateway that are due within so long of each other go in one notice. */
  groupWindowSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(300)), 60),
  /** Whether the thing's row says from which address it last connected. It tells where people live. */
  recordIpAddress: v.optional(v.boolean(), false),
});

const ThingType = v.strictObject({
  offlineDelaySeconds: v.optional(DelaySeconds),
  /** For things that sleep: they are offline when nothing is heard of them for so long, whatever their connection does. */
  expectedIntervalSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(30 * 86_400))),
  /** `samplingSeconds` and `reportingSeconds`: what a device is told when it describes itself. */
  ...DeviceSettings.entries,
});

const Notifications = v.strictObject({
  /** More are not sent to one person on a day (UTC); the first one beyond it says so. SMS and a broken site can cost much. */
  noticesPerPersonPerDay: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 50),
});

const HttpsOrLocalhost = v.pipe(
  v.string(),
  v.regex(/^(https:\/\/|http:\/\/localhost[:/])/, 'must begin with https://, or with http://localhost'),
);

const Access = v.strictObject({
  /** Where the sign-in page of Cognito may send people back to, with an authorization code. */
  callbackUrls: v.optional(v.array(HttpsOrLocalhost), ['http://localhost:8080/']),
  /** Where it may send them after they signed out. */
  logoutUrls: v.optional(v.array(HttpsOrLocalhost), ['http://localhost:8080/']),
  /** Web pages that may call the API from a browser (CORS). */
  allowedOrigins: v.optional(v.array(HttpsOrLocalhost), ['http://localhost:8080']),
  /** Requests a second that the API takes in all, and at once; more get 429. */
  requestsPerSecond: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 200),
  burst: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5_000)), 400),
});

const SecretArn = v.pipe(
  v.string(),
  v.regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/, 'is no ARN of a secret'),
);

/** Where tests have a server of their own. On AWS nothing answers there. */
const HttpsOrLoopback = v.pipe(v.string(), v.regex(/^(https:\/\/|http:\/\/127\.0\.0\.1:)/, 'must begin with https://'));

const Voice = v.strictObject({
  /** Of the smart home skill, as the Alexa developer console shows it. */
  skillId: v.pipe(v.string(), v.regex(/^amzn1\.ask\.skill\.[0-9a-f-]{36}$/, 'is no id of a skill')),
  /** Where Alexa receives people who have linked their account: three addresses, as the console shows them. */
  redirectUrls: v.pipe(v.array(v.pipe(v.string(), v.startsWith('https://'))), v.minLength(1)),
  /** Whose event gateway is told of changes: North America, Europe and India, or the Far East. */
  gateway: v.optional(v.picklist(['NA', 'EU', 'FE']), 'NA'),
  /** "Alexa Client Id" of the skill's permission to send events. */
  clientId: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  /** A secret in Secrets Manager, under its default key, whose text is the "Alexa Client Secret". */
  clientSecretArn: SecretArn,
  lwaTokenUrl: v.optional(HttpsOrLoopback),
  eventGatewayUrl: v.optional(HttpsOrLoopback),
});
export type VoiceConfig = v.InferOutput<typeof Voice>;

const GIBIBYTE = 2 ** 30;

const Files = v.pipe(
  v.strictObject({
    /** The largest file, as it was before it is encrypted. */
    maxBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5 * GIBIBYTE)), 2 * GIBIBYTE),
    /** What the files of one thing may take together, in both directions. */
    quotaBytesPerThing: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 10 * GIBIBYTE),
    /** How long a file stays once it is stored, unless it is removed before. */
    retentionDays: v.optional(Days, 30),
  }),
  v.check(
    ({ maxBytes, quotaBytesPerThing }) => quotaBytesPerThing > maxBytes,
    'quotaBytesPerThing must be more than maxBytes, or no file of that size fits',
  ),
);

const Certificates = v.strictObject({
  /**
   * Who signs the next certificate of a device. `KMS`: a CA whose key is in KMS, at once (`thingstead ca create --kms`). `OPERATOR`: a person,
   * with a key that no cloud has (`thingstead certificates sign`).
   */
  issuer: v.optional(v.picklist(['KMS', 'OPERATOR']), 'OPERATOR'),
  /** How long a certificate is valid that the key in KMS signs. */
  validityDays: v.optional(Days, 365),
  /** A certificate may be renewed when it lives no longer than this. Half of its life unless it is given. */
  renewWindowDays: v.optional(Days),
  /**
   * So long after its expiry a certificate is still renewed, over HTTPS; 0 for never. By default 5 with the issuer `KMS`, else 0: then the route is not
   * there.
   */
  shelfYears: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20))),
  /** Certificates that expire within so many days, and were not renewed, raise an alarm every day. */
  noticeDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(90)), 30),
});

const Budget = v.strictObject({
  /** A notice goes out when the account's actual or forecast cost of a month exceeds this. */
  monthlyUsd: v.pipe(v.number(), v.minValue(1)),
  /** Who gets the notice. */
  email: Email,
});

const Firmware = v.strictObject({
  /**
   * `KMS`: a key of the account signs releases, for those whom IAM lets. `OFFLINE`: there is none; releases are signed with key files,
   * so that nobody who takes the account over can make one.
   */
  releaseKey: v.optional(v.picklist(['KMS', 'OFFLINE']), 'KMS'),
});

const Settings = v.strictObject({
  /** Value of the tag `stage` on every resource. Names and topics carry no stage: one deployment per account and region. */
  stage: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.:/=+@-]{1,64}$/)), 'production'),
  /** How long a message stays in the history table. */
  telemetryRetentionDays: v.optional(Days, 90),
  /** How long roll-ups stay. */
  aggregatesRetentionDays: v.optional(Days, 400),
  /** A reading whose device time is older than this on arrival is marked; latest value and roll-ups use the time of arrival. */
  maxBackfillDays: v.optional(Days, 31),
  /** How long the functions' logs stay; one of the periods that CloudWatch Logs has. */
  logRetentionDays: v.optional(v.picklist([1, 3, 5, 7, 14, 30, 60, 90, 180, 365]), 30),
  /**
   * What AWS IoT writes into its own log, `AWSIotLogsV2`. The account has one setting; where it is made elsewhere,
   * `UNCHANGED` leaves it alone, and the deployment does not fail on it.
   */
  iotLogLevel: v.optional(v.picklist(['ERROR', 'WARN', 'INFO', 'UNCHANGED']), 'ERROR'),
  kinesis: v.optional(Kinesis, {}),
  archive: v.optional(Archive, {}),
  /** `required`: only devices with a manifest entry get in. `open`: every certificate of a registered CA gets in. */
  manifest: v.optional(v.picklist(['required', 'open']), 'open'),
  billGuard: v.optional(BillGuard, {}),
  presence: v.optional(Presence, {}),
  access: v.optional(Access, {}),
  firmware: v.optional(Firmware, {}),
  notifications: v.optional(Notifications, {}),
  /** ARNs of platform applications for mobile push, which the operator has made in SNS. Without one, that platform's channels are refused. */
  push: v.optional(PushApplications, {}),
  files: v.optional(Files, {}),
  /** The Alexa skill. Without it there is no voice. */
  voice: v.optional(Voice),
  certificates: v.optional(Certificates, {}),
  /** Settings of thing types, by name. */
  thingTypes: v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9:_-]{1,128}$/)), ThingType), {}),
  /** Without it there is no budget alarm. */
  budget: v.optional(Budget),
  /** Gets every alarm by e-mail; AWS asks the address for consent once. */
  operatorEmail: v.optional(Email),
});

const PlatformConfigSchema = v.pipe(
  Settings,
  v.check(
    (config) => config.aggregatesRetentionDays > config.maxBackfillDays,
    'aggregatesRetentionDays must be more than maxBackfillDays, or roll-ups of old readings would be gone at once',
  ),
);
export type PlatformConfig = v.InferOutput<typeof PlatformConfigSchema>;

/** The settings cannot be used; the message names each wrong key. */
export class InvalidConfigError extends Error {
  override readonly name = 'InvalidConfigError';
}

/**
 * Reads the settings from CDK context (`cdk.json`, or `-c thingstead:manifest=required`). A value from the command line is
 * text; JSON in it is understood. @throws InvalidConfigError naming every unknown or wrong key.
 */
export function readPlatformConfig(context: Readonly<Record<string, unknown>>): PlatformConfig {
  const settings = Object.entries(context)
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, value]) => [key.slice(PREFIX.length), typeof value === 'string' ? parseText(value) : value]);
  const result = v.safeParse(PlatformConfigSchema, Object.fromEntries(settings));
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => {
    const key = v.getDotPath(issue);
    const known = Object.keys(Settings.entries).map((name) => PREFIX + name);
    if (issue.type === 'strict_object' && issue.expected === 'never') {
      return `unknown key ${PREFIX}${key}${key?.includes('.') ? '' : `; there are ${known.join(', ')}`}`;
    }
    return key === null ? issue.message : `${PREFIX}${key}: ${issue.message}`;
  });
  throw new InvalidConfigError(problems.join('\n'));
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
