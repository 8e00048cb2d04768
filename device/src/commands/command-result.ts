import { type CommandOutcome, MAX_COMMAND_RESULT_BYTES } from '@thingstead/contracts/commands';

const MAX_REASON = 1024;
const CUT = ' …';

/** EXECUTED with what the handler gave. What is too long, or no JSON, becomes a text that is cut off. */
export function executed(result: unknown): CommandOutcome {
  return result === undefined ? { state: 'EXECUTED' } : { state: 'EXECUTED', result: bounded(result) };
}

/** The end of a reason says most. */
export function failed(state: 'REJECTED' | 'FAILED', reason: string): CommandOutcome {
  return { state, reason: reason.slice(-MAX_REASON) };
}

function bounded(result: unknown): unknown {
  const json = toJson(result);
  if (json === undefined) return String(result).slice(0, MAX_REASON);
  if (Buffer.byteLength(json) <= MAX_COMMAND_RESULT_BYTES) return result;
  const text = typeof result === 'string' ? result : json;
  // A letter may take several bytes, and more in JSON.
  for (let length = MAX_COMMAND_RESULT_BYTES; ; length = Math.floor(length * 0.75)) {
    const cut = `${text.slice(0, length)}${CUT}`;
    if (Buffer.byteLength(JSON.stringify(cut)) <= MAX_COMMAND_RESULT_BYTES) return cut;
  }
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
