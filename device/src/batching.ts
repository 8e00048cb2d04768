/** AWS meters messages, rules and actions in steps of 5 KB; topic and envelope take a part of it. */
const MAX_PAYLOAD_BYTES = 4500;

/** How many of these readings (JSON texts, the oldest first) go into the next message: at least one, if there is any. */
export function batchLength(readings: readonly { readonly json: string }[]): number {
  let bytes = 0;
  const end = readings.findIndex(({ json }, index) => {
    bytes += Buffer.byteLength(json) + 1;
    return index > 0 && bytes > MAX_PAYLOAD_BYTES;
  });
  return end === -1 ? readings.length : end;
}

/** The body of a message; the same readings under the same id give the same bytes. */
export function batchPayload(id: string, readings: readonly { readonly json: string }[]): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"readings":[${readings.map(({ json }) => json).join(',')}]}`);
}
