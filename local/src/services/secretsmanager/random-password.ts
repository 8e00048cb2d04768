import { randomInt } from 'node:crypto';
import { invalidParameter } from './errors.ts';

/** As GetRandomPassword and GenerateSecretString have them. */
export interface PasswordOptions {
  readonly PasswordLength?: number | undefined;
  readonly ExcludeCharacters?: string | undefined;
  readonly ExcludeLowercase?: boolean | undefined;
  readonly ExcludeUppercase?: boolean | undefined;
  readonly ExcludeNumbers?: boolean | undefined;
  readonly ExcludePunctuation?: boolean | undefined;
  readonly IncludeSpace?: boolean | undefined;
  readonly RequireEachIncludedType?: boolean | undefined;
}

const LOWERCASE = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const DEFAULT_LENGTH = 32;
const MAX_LENGTH = 4096;

/**
 * A random text of the characters that are not excluded, with one of each kind unless that is not required
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html).
 *
 * @throws AwsError InvalidParameterException
 */
export function randomPassword(options: PasswordOptions): string {
  const { PasswordLength: length = DEFAULT_LENGTH, RequireEachIncludedType = true } = options;
  if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH) {
    throw invalidParameter(`PasswordLength is ${length}; it has to be 1 to ${MAX_LENGTH}.`);
  }
  const excluded = new Set(options.ExcludeCharacters ?? '');
  const kinds = [
    options.ExcludeLowercase ? '' : LOWERCASE,
    options.ExcludeUppercase ? '' : LOWERCASE.toUpperCase(),
    options.ExcludeNumbers ? '' : DIGITS,
    options.ExcludePunctuation ? '' : PUNCTUATION,
    options.IncludeSpace ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((each) => !excluded.has(each)))
    .filter((kind) => kind.length > 0);
  const all = kinds.flat();
  if (all.length === 0) throw invalidParameter('All characters are excluded: there is nothing to choose from.');
  const required = RequireEachIncludedType ? kinds : [];
  if (required.length > length) throw invalidParameter('The password is too short for one character of each kind.');
  const characters = required.map(pick);
  while (characters.length < length) characters.push(pick(all));
  return shuffled(characters).join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}

function shuffled(characters: readonly string[]): readonly string[] {
  const result = [...characters];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [result[at], result[other]] = [result[other] ?? '', result[at] ?? ''];
  }
  return result;
}
