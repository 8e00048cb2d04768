import { asBuffer } from './json-values.ts';
import type { Flattened } from './query-input.ts';
import { escapeXml } from './xml.ts';

interface Shapes {
  readonly flattened: Readonly<Record<string, Flattened>>;
  readonly maps: ReadonlySet<string>;
}

/** The members of an answer as XML elements. Undefined members are left out, dates are ISO 8601, bytes base64. */
export function outputToXml(operation: string, output: unknown, shapes: Shapes): string {
  if (typeof output !== 'object' || output === null) return '';
  return Object.entries(output)
    .map(([name, value]) => member(operation, name, value, shapes))
    .join('');
}

function member(operation: string, name: string, value: unknown, shapes: Shapes): string {
  if (value === undefined || value === null) return '';
  const flat = shapes.flattened[`${operation}.${name}`] ?? shapes.flattened[name];
  if (Array.isArray(value)) {
    const element = typeof flat === 'string' ? flat : 'member';
    const items = value.map((each) => `<${element}>${content(operation, each, shapes)}</${element}>`).join('');
    return typeof flat === 'string' ? items : `<${name}>${items}</${name}>`;
  }
  if (typeof flat === 'object') return entries(operation, value, flat, shapes);
  if (shapes.maps.has(name)) {
    return `<${name}>${entries(operation, value, { name: 'entry', key: 'key', value: 'value' }, shapes)}</${name}>`;
  }
  return `<${name}>${content(operation, value, shapes)}</${name}>`;
}

function entries(
  operation: string,
  map: unknown,
  names: { readonly name: string; readonly key: string; readonly value: string },
  shapes: Shapes,
): string {
  return Object.entries(Object(map))
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        `<${names.name}><${names.key}>${escapeXml(key)}</${names.key}>` +
        `<${names.value}>${content(operation, value, shapes)}</${names.value}></${names.name}>`,
    )
    .join('');
}

function content(operation: string, value: unknown, shapes: Shapes): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return asBuffer(value).toString('base64');
  if (typeof value === 'object' && value !== null) return outputToXml(operation, value, shapes);
  return escapeXml(String(value));
}
