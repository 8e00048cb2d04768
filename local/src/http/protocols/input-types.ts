/**
 * What the wire cannot tell apart: a blob is base64 text in JSON, a number is text in a query or a form. A protocol that
 * is given these types hands its operations the values that the SDK's types promise.
 */
import { AwsError } from '../../kernel/errors.ts';

/**
 * - `blob`: base64 text becomes a Buffer;
 * - `timestamp`: epoch seconds or ISO 8601 becomes a Date;
 * - `number`, `boolean`: text becomes the value;
 * - `list`: an absent or single value becomes a list (the query protocol writes an empty list as empty text).
 */
export type InputType = 'blob' | 'timestamp' | 'number' | 'boolean' | 'list';

/**
 * Operation -> path -> type. A path is member names joined by dots; lists are passed through without a segment of their
 * own (`Records.Data`), `*` stands for every key of a map (`MessageAttributes.*.BinaryValue`). The operation `*` applies
 * to all.
 */
export type InputTypes = Readonly<Record<string, Readonly<Record<string, InputType>>>>;

type Convert = (operation: string, input: Record<string, unknown>) => void;

/** Gives the function that converts a decoded input in place. It throws SerializationException for unreadable values. */
export function compileInputTypes(types: InputTypes | undefined): Convert {
  const compiled = new Map<string, readonly (readonly [path: readonly string[], type: InputType])[]>();
  for (const [operation, paths] of Object.entries(types ?? {})) {
    compiled.set(
      operation,
      Object.entries(paths).map(([path, type]) => [path.split('.'), type] as const),
    );
  }
  const common = compiled.get('*') ?? [];
  return (operation, input) => {
    for (const [path, type] of common) convertAt(input, path, 0, type);
    for (const [path, type] of compiled.get(operation) ?? []) convertAt(input, path, 0, type);
  };
}

function convertAt(target: unknown, path: readonly string[], depth: number, type: InputType): void {
  if (typeof target !== 'object' || target === null) return;
  if (Array.isArray(target)) {
    for (const each of target) convertAt(each, path, depth, type);
    return;
  }
  const object = target as Record<string, unknown>;
  const segment = path[depth] ?? '';
  const names = segment === '*' ? Object.keys(object) : [segment];
  for (const name of names) {
    const value = object[name];
    if (value === undefined || value === null) continue;
    if (depth < path.length - 1) convertAt(value, path, depth + 1, type);
    else object[name] = convert(value, type, path.join('.'));
  }
}

function convert(value: unknown, type: InputType, path: string): unknown {
  if (type === 'list') {
    if (Array.isArray(value)) return value;
    return value === '' ? [] : [value];
  }
  if (Array.isArray(value)) return value.map((each) => convert(each, type, path));
  switch (type) {
    case 'blob':
      return typeof value === 'string' ? Buffer.from(value, 'base64') : value;
    case 'timestamp':
      return toDate(value, path);
    case 'number':
      return typeof value === 'string' ? toNumber(value, path) : value;
    case 'boolean': {
      // SDKs write `true`, AWS's own examples of requests `TRUE` (iot/latest/developerguide/mqtt.html).
      const word = String(value).toLowerCase();
      if (word === 'true' || word === 'false') return word === 'true';
      throw unreadable(path, value, 'true or false');
    }
  }
}

function toNumber(value: string, path: string): number {
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number)) throw unreadable(path, value, 'a number');
  return number;
}

function toDate(value: unknown, path: string): Date {
  const date = typeof value === 'number' ? new Date(value * 1000) : new Date(String(value));
  if (Number.isNaN(date.getTime())) throw unreadable(path, value, 'epoch seconds or an ISO 8601 time');
  return date;
}

function unreadable(path: string, value: unknown, expected: string): AwsError {
  return new AwsError('SerializationException', `${path} is ${JSON.stringify(value)}; expected ${expected}`);
}
