import { CLOCK_AHEAD_MS } from '@thingstead/contracts/telemetry-store';
import { SENSOR_TOPIC_FILTER } from '@thingstead/contracts/topics';
import type { PlatformConfig } from './platform-config.ts';

const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;

/** Device time of the first reading, of a batch or alone; the time of arrival when the device gives none. */
const TIME = 'nanvl(get(readings, 0).time, nanvl(time, timestamp()))';

/**
 * The id that the device gave. Without one, the id that AWS IoT gave the MQTT message; over HTTPS there is none, and each
 * column gets a UUID of its own. A variable of SET would give one, but SET takes no payload that is not JSON.
 */
const ID = 'nanvl(id, nanvl(traceid(), newuuid()))';

/**
 * Names thing and sensor when the topic is one of a sensor, and is empty otherwise: DynamoDB refuses an empty key, while an
 * Undefined column would leave a member of that name from the payload, and with it the key to the sender. The filter also takes what is below a
 * sensor's topics: a policy cannot tell levels apart, and a message that no rule takes would be acknowledged and gone.
 */
const KEY = `CASE topic() WHEN concat('device/', topic(2), '/sensor/', topic(4), '/v1') THEN concat(topic(2), '#', topic(4)) ELSE '' END`;

/**
 * What the telemetry rule selects: the message as it came, and the columns of the stores, which replace members of the same
 * name. Thing and sensor come from the topic, for which the device's policy vouches, never from the payload. There is no
 * WHERE: a message it does not match would be gone without a trace. A time that is no time gives an empty `sk`, a topic that is
 * no sensor's an empty `pk`; then the write to the history fails, and the error action keeps the message.
 */
export function telemetrySql({ telemetryRetentionDays, maxBackfillDays }: PlatformConfig): readonly string[] {
  return [
    'SELECT *,',
    `  (${KEY}) AS pk,`,
    `  nanvl(concat(parse_time("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", ${TIME}), '#', ${ID}), '') AS sk,`,
    '  topic(2) AS thing,',
    '  topic(4) AS sensor,',
    '  timestamp() AS receivedAt,',
    `  ${ID} AS messageId,`,
    `  floor(timestamp() / 1000) + ${telemetryRetentionDays * DAY_SECONDS} AS expiresAt,`,
    `  (${TIME} > timestamp() + ${CLOCK_AHEAD_MS}) AS clockAhead,`,
    `  (${TIME} < timestamp() - ${maxBackfillDays * DAY_MS}) AS clockBehind`,
    `FROM '${SENSOR_TOPIC_FILTER}'`,
  ];
}
