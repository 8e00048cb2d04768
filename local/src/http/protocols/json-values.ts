import { AwsError } from '../../kernel/errors.ts';

/** Reads a JSON object from a request body; an empty body is an empty object. Throws SerializationException. */
export function parseJsonBody(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new AwsError('SerializationException', `The request body is not JSON: ${(cause as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AwsError('SerializationException', 'The request body is JSON, but not an object');
  }
  return value as Record<string, unknown>;
}

/** An output as AWS JSON: dates as epoch seconds, bytes as base64, NaN and infinities as text, undefined left out. */
export function toJson(output: unknown): string {
  if (output === undefined || output === null) return '{}';
  if (!needsConversion(output)) return JSON.stringify(output);
  return JSON.stringify(output, function (this: Record<string, unknown>, key, value: unknown) {
    // Dates and buffers have a toJSON that has already run on `value`.
    const original = this[key];
    if (original instanceof Date) return original.getTime() / 1000;
    if (original instanceof Uint8Array) return asBuffer(original).toString('base64');
    if (typeof original === 'number' && !Number.isFinite(original)) return String(original);
    return value;
  });
}

function needsConversion(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Date || value instanceof Uint8Array) return true;
  return Object.values(value).some(needsConversion);
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
