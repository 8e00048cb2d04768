/**
 * Names that a person or a device may choose, and the deterministic names of the deployment. One deployment per account
 * and region, since topics carry no stage.
 */

/** clientId = thing name = common name of the certificate. A hyphen ends the name of the site: `macdonald-sensor123`. */
export const THING_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** The last topic level but one of a reading: `temperature`. Not `.` and `..`, which mean something else in paths. */
export const SENSOR_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9_.-]{1,64}$/;

/** The name of the one IoT policy that every device certificate gets. */
export const DEVICE_POLICY_NAME = 'thingstead-device';

/** The thing type that just-in-time registration gives when the manifest names none. */
export const DEFAULT_THING_TYPE = 'thingstead-device';

/** The rule that stores telemetry; devices name it in Basic Ingest topics. */
export const TELEMETRY_RULE_NAME = 'thingstead_telemetry';

export const TABLE_NAMES = {
  /** Manifest, revocation list, identity claims and held certificates. */
  registration: 'thingstead-registration',
  /** One item per telemetry message. */
  telemetryHistory: 'thingstead-telemetry-history',
  /** Latest value per sensor, hour items with minute buckets, message counts per thing. */
  telemetryAggregates: 'thingstead-telemetry-aggregates',
  /** One row per thing; pending notices. */
  things: 'thingstead-things',
  /** People's channels and preferences, who watches what, and deliveries of notices. */
  notifications: 'thingstead-notifications',
  /** Who may do what with which thing or site; pairing codes, invitations, identities and their sessions. */
  access: 'thingstead-access',
  /** Commands and what became of them. */
  commands: 'thingstead-commands',
  /** Tokens with which Alexa is told of changes, encrypted. */
  voice: 'thingstead-voice',
  /** Transfers of files, by thing. */
  files: 'thingstead-files',
  /** Releases, trust documents, rollouts and where each device is in them. */
  firmware: 'thingstead-firmware',
} as const;
