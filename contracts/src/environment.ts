/** The environment of each function. The construct writes these keys `satisfies`, the function reads the same list. */

/** Name of the registration table, name of the device policy, `required` or `open`, and the default thing type. */
export const REGISTRATION_ENVIRONMENT = [
  'REGISTRATION_TABLE',
  'DEVICE_POLICY',
  'MANIFEST',
  'DEFAULT_THING_TYPE',
] as const;

/** Names of table and queue; days; messages per thing and hour that are still expected; days. */
export const TELEMETRY_ENVIRONMENT = [
  'AGGREGATES_TABLE',
  'QUARANTINE_QUEUE_URL',
  'AGGREGATES_RETENTION_DAYS',
  'EXPECTED_MESSAGES_PER_HOUR',
  'MAX_BACKFILL_DAYS',
] as const;

/** Names of the tables; addresses of the queues; `PresenceSettings` as JSON. */
export const PRESENCE_ENVIRONMENT = [
  'THINGS_TABLE',
  'AGGREGATES_TABLE',
  'CHECKS_QUEUE_URL',
  'NOTICES_QUEUE_URL',
  'PRESENCE_SETTINGS',
] as const;

/** Name of the table; `OnboardingSettings` as JSON. */
export const ONBOARDING_ENVIRONMENT = ['THINGS_TABLE', 'ONBOARDING_SETTINGS'] as const;

/** Name of the table; address of the queue for what needs a decision; notices that one person gets on a day. */
export const NOTIFICATIONS_ENVIRONMENT = ['NOTIFICATIONS_TABLE', 'FAILED_QUEUE_URL', 'NOTICES_PER_DAY'] as const;

/** Names of the tables; `PushApplications` as JSON. */
export const CHANNELS_ENVIRONMENT = ['NOTIFICATIONS_TABLE', 'THINGS_TABLE', 'PUSH_APPLICATIONS'] as const;

/** Names of the tables; ids of user pool, client and identity pool; name of the function that keeps how people are told. */
export const ACCESS_ENVIRONMENT = [
  'ACCESS_TABLE',
  'VOICE_TABLE',
  'USER_POOL_ID',
  'APP_CLIENT_ID',
  'IDENTITY_POOL_ID',
  'CHANNELS_FUNCTION',
] as const;

/** Names of the tables; address of the queue of deliveries. Of both functions: the one that answers and the one that delivers. */
export const COMMANDS_ENVIRONMENT = ['COMMANDS_TABLE', 'ACCESS_TABLE', 'THINGS_TABLE', 'COMMANDS_QUEUE_URL'] as const;

/** Names of tables and bucket; ARN of the key of data keys; `FilesSettings` as JSON. */
export const FILE_TRANSFERS_ENVIRONMENT = [
  'FILES_TABLE',
  'ACCESS_TABLE',
  'FILES_BUCKET',
  'FILES_KEY_ARN',
  'FILES_SETTINGS',
] as const;

/** And that of the things table, where it is seen whether there is such a thing. */
export const FILES_ENVIRONMENT = [...FILE_TRANSFERS_ENVIRONMENT, 'THINGS_TABLE'] as const;

/** Names of table and bucket; ARN of the key with which releases are assigned to devices. */
export const FIRMWARE_ENVIRONMENT = ['FIRMWARE_TABLE', 'FIRMWARE_BUCKET', 'ASSIGNMENT_KEY_ARN'] as const;

/** And that of the things table, and the address of the queue of rollouts. */
export const FIRMWARE_DEVICES_ENVIRONMENT = [...FIRMWARE_ENVIRONMENT, 'THINGS_TABLE', 'ROLLOUTS_QUEUE_URL'] as const;

/** Names of the tables; address of the queue of rollouts. Of the function that answers the routes. */
export const ROLLOUTS_ENVIRONMENT = ['FIRMWARE_TABLE', 'THINGS_TABLE', 'ACCESS_TABLE', 'ROLLOUTS_QUEUE_URL'] as const;

/** Names of the tables; address of the queue of rollouts. Of the function that moves them on. */
export const ROLLOUT_TICKS_ENVIRONMENT = [
  'FIRMWARE_TABLE',
  'THINGS_TABLE',
  'HISTORY_TABLE',
  'AGGREGATES_TABLE',
  'ROLLOUTS_QUEUE_URL',
] as const;

/** Names of the tables. */
export const THINGS_ENVIRONMENT = ['THINGS_TABLE', 'ACCESS_TABLE', 'HISTORY_TABLE', 'AGGREGATES_TABLE'] as const;

/** Name of the table; address of the queue of endings; name of the function that keeps who is told; the AWS partition. */
export const IDENTITY_POLICIES_ENVIRONMENT = [
  'ACCESS_TABLE',
  'ENDINGS_QUEUE_URL',
  'CHANNELS_FUNCTION',
  'PARTITION',
] as const;

/** Name of the table; address of the queue of endings. */
export const EXPIRING_GRANTS_ENVIRONMENT = ['ACCESS_TABLE', 'ENDINGS_QUEUE_URL'] as const;

/** Names of tables; ARN of the key for Alexa's tokens; address of Login with Amazon, and who the skill is there. */
const VOICE_KEYS = [
  'ACCESS_TABLE',
  'THINGS_TABLE',
  'VOICE_TABLE',
  'VOICE_KEY_ARN',
  'LWA_TOKEN_URL',
  'SKILL_CLIENT_ID',
  'SKILL_CLIENT_SECRET_ARN',
] as const;

/** Name of a table; ids of the user pool and of its client for Alexa. */
export const VOICE_ENVIRONMENT = [...VOICE_KEYS, 'AGGREGATES_TABLE', 'USER_POOL_ID', 'ALEXA_CLIENT_ID'] as const;

/** Addresses of Alexa's event gateway and of the queue of reports. */
export const VOICE_REPORTS_ENVIRONMENT = [...VOICE_KEYS, 'EVENT_GATEWAY_URL', 'REPORTS_QUEUE_URL'] as const;

/** Names of table and device policy; `CertificateSettings` as JSON; ARN of the key of the CA, `none` when an operator has it. */
export const CERTIFICATE_RENEWALS_ENVIRONMENT = [
  'REGISTRATION_TABLE',
  'DEVICE_POLICY',
  'CERTIFICATE_SETTINGS',
  'CA_KEY_ARN',
] as const;

/** Name of the table; how many days ahead it looks. */
export const CERTIFICATE_EXPIRIES_ENVIRONMENT = ['REGISTRATION_TABLE', 'NOTICE_DAYS'] as const;

/** Name of the table. */
export const PAIRING_CODES_ENVIRONMENT = ['ACCESS_TABLE'] as const;

/** Names of the tables, id of the user pool. */
export const PAIRING_ENVIRONMENT = ['ACCESS_TABLE', 'REGISTRATION_TABLE', 'USER_POOL_ID'] as const;

/** What a construct must write for a function whose keys are listed as `Keys`. */
export type EnvironmentOf<Keys extends readonly string[]> = Record<Keys[number], string>;

/** A function was deployed without a key it needs. */
export class MissingEnvironmentError extends Error {
  override readonly name = 'MissingEnvironmentError';
}

/** Reads a function's keys at its cold start. @throws MissingEnvironmentError naming every key that is not there. */
export function readEnvironment<const Keys extends readonly string[]>(
  keys: Keys,
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentOf<Keys> {
  const missing = keys.filter((key) => !environment[key]);
  if (missing.length > 0) throw new MissingEnvironmentError(`not in the environment: ${missing.join(', ')}`);
  // Every key was just seen to be there.
  return Object.fromEntries(keys.map((key) => [key, environment[key]])) as EnvironmentOf<Keys>;
}

/** Reads a number of the environment. @throws MissingEnvironmentError when it is none. */
export function readNumber<Key extends string>(environment: Readonly<Record<Key, string>>, key: Key): number {
  const value = Number(environment[key]);
  if (!Number.isFinite(value)) throw new MissingEnvironmentError(`${key} is no number: ${environment[key]}`);
  return value;
}
