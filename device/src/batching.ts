import { MAX_BATCH_SPAN_MS } from '@thingstead/contracts/telemetry-store';

/** AWS meters messages, rules and actions in steps of 5 KB; topic and envelope take a part of it. */
const MAX_PAYLOAD_BYTES = 4500;

/**
 * How many of these readings (JSON texts, the oldest first) go into the next message: at least one, if there is any. Whoever
 * reads the history looks no further back for the beginning of a message than one may span.
 */
export function batchLength(readings: readonly { readonly json: string }[]): number {
  let bytes = 0;
  let [earliest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const end = readings.findIndex(({ json }, index) => {
    bytes += Buffer.byteLength(json) + 1;
    if (index > 0 && bytes > MAX_PAYLOAD_BYTES) return true;
    const { time } = JSON.parse(json) as { readonly time?: number };
    if (time !== undefined) [earliest, latest] = [Math.min(earliest, time), Math.max(latest, time)];
    return index > 0 && latest - earliest > MAX_BATCH_SPAN_MS;
  });
  return end === -1 ? readings.length : end;
}

/** The body of a message; the same readings under the same id give the same bytes. */
export function batchPayload(id: string, readings: readonly { readonly json: string }[]): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"readings":[${readings.map(({ json }) => json).join(',')}]}`);
}
