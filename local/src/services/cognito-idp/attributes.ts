import { invalidParameter, notAuthorized } from './errors.ts';
import type { PoolSettings, User, UserPool, UserPoolClient } from './user-pool.ts';

export interface NamedValue {
  readonly Name?: string;
  readonly Value?: string;
}

/** https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html */
const STANDARD = [
  ...['address', 'birthdate', 'email', 'email_verified', 'family_name', 'gender', 'given_name', 'locale'],
  ...['middle_name', 'name', 'nickname', 'phone_number', 'phone_number_verified', 'picture', 'preferred_username'],
  ...['profile', 'updated_at', 'website', 'zoneinfo'],
];
const VERIFIED = new Set(['email_verified', 'phone_number_verified']);
const MAX_LENGTH = 2048;

export interface Check {
  readonly settings: PoolSettings;
  /** Undefined for administrators. */
  readonly client: UserPoolClient | undefined;
  /** What is there already; undefined for a new user. */
  readonly before: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads the attributes of a request.
 *
 * @throws AwsError InvalidParameterException for unknown, malformed, fixed or missing attributes; NotAuthorizedException
 *   for those that the client may not write
 */
export function readAttributes(
  given: readonly NamedValue[] | undefined,
  check: Check,
): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const { Name = '', Value = '' } of given ?? []) {
    requireWritable(Name, check);
    requireForm(Name, Value, check.settings);
    attributes[Name] = Value;
  }
  const { before, settings } = check;
  if (before) return attributes;
  const missing = settings.schema.find(({ name, required }) => required && name !== 'sub' && !attributes[name]);
  if (missing)
    throw invalidParameter(`Attributes did not conform to the schema: ${missing.name}: The attribute is required`);
  return attributes;
}

/** Throws InvalidParameterException, NotAuthorizedException for one that the client may not write. */
export function requireWritable(name: string, { settings, client, before }: Check): void {
  const own = settings.schema.find((each) => each.name === name);
  if (!own && !STANDARD.includes(name)) {
    throw invalidParameter(
      `Attributes did not conform to the schema: ${name}: Attribute does not exist in the schema.`,
    );
  }
  if (before && own?.mutable === false) throw invalidParameter(`user.${name}: Attribute cannot be updated.`);
  const writable = client?.settings.writeAttributes;
  if (client && (VERIFIED.has(name) || (writable && !writable.includes(name)))) {
    throw notAuthorized('A client attempted to write unauthorized attribute');
  }
}

function requireForm(name: string, value: string, { schema }: PoolSettings): void {
  const own = schema.find((each) => each.name === name);
  const wrong = (detail: string) => invalidParameter(`Attributes did not conform to the schema: ${name}: ${detail}`);
  if (value.length > (own?.maxLength ?? MAX_LENGTH)) throw wrong('String must be no longer than its maximum');
  if (value.length < (own?.minLength ?? 0)) throw wrong('String must be no shorter than its minimum');
  if (own?.type === 'Number' && Number.isNaN(Number(value))) throw wrong('Not a number');
  if (name === 'email' && value !== '' && !/^[^\s@]+@[^\s@]+$/.test(value)) {
    throw invalidParameter('Invalid email address format.');
  }
  if (name === 'phone_number' && value !== '' && !/^\+\d{5,15}$/.test(value)) {
    throw invalidParameter('Invalid phone number format.');
  }
  if (VERIFIED.has(name) && value !== 'true' && value !== 'false') throw wrong('it is true or false');
}

/**
 * What is left when some attributes are taken away.
 *
 * @throws AwsError InvalidParameterException for one that the pool requires, or that people sign in with
 */
export function withoutAttributes(
  { settings }: Pick<UserPool, 'settings'>,
  { attributes }: Pick<User, 'attributes'>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const needed = settings.schema.filter(({ required }) => required).map(({ name }) => name);
  const fixed = [...needed, ...settings.usernameAttributes].find((name) => names.includes(name));
  if (fixed !== undefined) throw invalidParameter(`Attribute ${fixed} is required, and cannot be deleted.`);
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

/** Attributes as the API shows them, `sub` last. */
export function toNamedValues(
  { sub, attributes }: { readonly sub: string; readonly attributes: Readonly<Record<string, string>> },
  readable?: readonly string[] | undefined,
): readonly NamedValue[] {
  const shown = Object.entries(attributes).filter(
    ([name]) => !readable || readable.includes(name) || readable.includes(name.replace(/_verified$/, '')),
  );
  return [...shown.map(([Name, Value]) => ({ Name, Value })), { Name: 'sub', Value: sub }];
}
