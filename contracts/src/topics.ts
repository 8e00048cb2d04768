/** Topics as they stand on the wire. The device agent, the rules, the IoT policy and the command line read them here. */
import { TELEMETRY_RULE_NAME } from './names.ts';

/** Where a device publishes readings of one sensor. */
export function sensorTopic(thing: string, sensor: string): string {
  return `device/${thing}/sensor/${sensor}/v1`;
}

/** The same through Basic Ingest: no messaging charge, and no subscriber sees it. */
export function sensorBasicIngestTopic(thing: string, sensor: string): string {
  return `$aws/rules/${TELEMETRY_RULE_NAME}/${sensorTopic(thing, sensor)}`;
}

/**
 * The filter of the telemetry rule: sensor topics and what is below them. Thing and sensor are levels 2 and 4, counted from
 * 1 as IoT SQL does.
 */
export const SENSOR_TOPIC_FILTER = 'device/+/sensor/#';

/** Where the broker publishes a device's last will. */
export function lastWillTopic(thing: string): string {
  return `device/${thing}/lwt/v1`;
}

/** Where a device describes itself; answers come below it, at `accepted` and `rejected`. */
export function registerTopic(thing: string): string {
  return `device/${thing}/register/v1`;
}

/** Where a device asks for a pairing code; answers come below it, at `accepted` and `rejected`. */
export function pairingTopic(thing: string): string {
  return `device/${thing}/pairing/v1`;
}

/** Where a device gets one command; its outcome goes below it, at `outcome`. */
export function commandTopic(thing: string, id: string): string {
  return `device/${thing}/command/${id}/v1`;
}

/** Where a device asks about one transfer of a file; answers come below it, at `accepted` and `rejected`. */
export function filesTopic(thing: string, transfer: string): string {
  return `device/${thing}/files/${transfer}/v1`;
}

/** Where a device speaks of one attempt to update it; answers come below it, at `accepted` and `rejected`. */
export function firmwareTopic(thing: string, attempt: string): string {
  return `device/${thing}/firmware/${attempt}/v1`;
}

/** Where a device renews its certificate; answers come below it, at `accepted` and `rejected`. */
export function certificateTopic(thing: string): string {
  return `device/${thing}/register/certificate/v1`;
}
