import { invalid } from '../../../kernel/errors.ts';

/**
 * Bytes of a request: between the wire and here, base64 has become a buffer.
 *
 * @throws AwsError ValidationException
 */
export function bytesOf(value: unknown, name: string, max: number): Uint8Array {
  if (value instanceof Uint8Array && value.length >= 1 && value.length <= max) return value;
  const given = value instanceof Uint8Array ? `${value.length} bytes` : typeof value;
  throw invalid(`${name} has 1 to ${max} bytes; given: ${given}.`);
}
