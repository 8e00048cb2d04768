/** The statement of the rule that notes connections of people's apps. */

/** Region, colon and UUID: no thing's name has a colon. */
const IDENTITY_ID = '[a-z0-9-]+:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** A connection ends with its credentials' signature, after a day: https://docs.aws.amazon.com/general/latest/gr/iot-core.html */
const KEPT_SECONDS = 2 * 86_400;

/** Life-cycle events: https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html */
export function sessionSql(): readonly string[] {
  return [
    `SELECT concat('identity#', regexp_substr(clientId, '^${IDENTITY_ID}')) AS pk, concat('session#', clientId) AS sk,`,
    `  clientId, timestamp AS connectedAt, floor(timestamp / 1000) + ${KEPT_SECONDS} AS expiresAt`,
    "FROM '$aws/events/presence/connected/+'",
    `WHERE regexp_matches(clientId, '^${IDENTITY_ID}-.+$')`,
  ];
}
