/** The statements of the presence rules. */
import { LAST_WILL_TOKEN } from '@thingstead/contracts/presence';

/** Other clients (apps, operators) raise events too; a certificate's id tells devices from them. */
const IS_DEVICE = [
  "regexp_matches(principalIdentifier, '^[0-9a-f]{64}$')",
  "regexp_matches(clientId, '^[a-zA-Z0-9_-]{1,64}$')",
].join(' AND ');

/** Life-cycle events of devices: https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html */
export function lifeCycleSql({ recordIpAddress }: { readonly recordIpAddress: boolean }): readonly string[] {
  return [
    "SELECT 'life-cycle' AS kind, clientId AS thing, eventType, sessionIdentifier AS session,",
    '  versionNumber AS version, timestamp AS at, disconnectReason AS reason',
    ...(recordIpAddress ? ['  , ipAddress'] : []),
    "FROM '$aws/events/presence/+/+'",
    `WHERE (eventType = 'connected' OR eventType = 'disconnected') AND ${IS_DEVICE}`,
  ];
}

/**
 * Updates that change what a shadow says of the connection. `timestamp` of a shadow's metadata is in seconds. What is missing,
 * as before the first report, gets a default: an operand that is Undefined makes all of the WHERE clause Undefined, OR included.
 * What a device writes there is its own affair, so what is no boolean stays out of the queue.
 * https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html
 */
export function shadowReportSql(): readonly string[] {
  const now = 'current.state.reported';
  const before = 'previous.state.reported';
  return [
    `SELECT 'shadow' AS kind, topic(3) AS thing, ${now}.connected AS connected, ${now}.session AS session,`,
    '  current.version AS version, timestamp * 1000 AS at',
    "FROM '$aws/things/+/shadow/update/documents'",
    `WHERE (${now}.connected = true OR ${now}.connected = false) AND regexp_matches(topic(3), '^[a-zA-Z0-9_-]{1,64}$') AND (`,
    `  get_or_default(${before}.connected, 'nothing') <> ${now}.connected OR`,
    `  get_or_default(${before}.session, '') <> get_or_default(${now}.session, ''))`,
  ];
}

/**
 * A last will into the shadow, without a function: only if the shadow still names the session whose will it is, and only over
 * the version that was read, so that a report of a later session is never overwritten.
 */
export function lastWillSql(roleArn: string): readonly string[] {
  return [
    `SET @shadow = get_thing_shadow(topic(2), '${roleArn}')`,
    `SELECT {'reported': {'connected': false}} AS state, @shadow.version AS version, '${LAST_WILL_TOKEN}' AS clientToken`,
    "FROM 'device/+/lwt/v1'",
    'WHERE @shadow.state.reported.session = session',
  ];
}

/** The shadow was changed between the two: the function looks what is true. */
export function willRejectedSql(): readonly string[] {
  return [
    "SELECT 'will-rejected' AS kind, topic(3) AS thing",
    "FROM '$aws/things/+/shadow/update/rejected'",
    `WHERE clientToken = '${LAST_WILL_TOKEN}'`,
  ];
}
