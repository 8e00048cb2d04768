/**
 * Reading properties of a resource: CloudFormation accepts numbers and booleans as text and text as numbers
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html), and so do these.
 */
import { invalid } from '../kernel/errors.ts';

/** A required text. Throws ValidationException that names the property. */
export function text(value: unknown, name: string): string {
  const given = optionalText(value);
  if (given === undefined) throw invalid(`The property ${name} is required`);
  return given;
}

/** Text, also from a number or boolean; undefined stays. */
export function optionalText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw invalid(`Expected text, got ${JSON.stringify(value)}`);
  return String(value);
}

/** A number, also from text; undefined stays. */
export function optionalNumber(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number))
    throw invalid(`Expected a number, got ${JSON.stringify(value)}`);
  return number;
}

/** A boolean, also from the texts `true` and `false`; undefined stays. */
export function optionalBoolean(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalid(`Expected true or false, got ${JSON.stringify(value)}`);
}

/** A list; none given is empty, and a single value is a list of one. */
export function optionalList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** A JSON object; undefined stays. */
export function optionalObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid(`Expected an object, got ${JSON.stringify(value)}`);
  return value as Readonly<Record<string, unknown>>;
}

/** Tags in their usual form, a list of Key and Value. */
export function tagList(value: unknown): { Key: string; Value: string }[] {
  return optionalList(value).map((each) => {
    const { Key, Value } = optionalObject(each) ?? {};
    return { Key: text(Key, 'Tags.Key'), Value: text(Value, 'Tags.Value') };
  });
}
