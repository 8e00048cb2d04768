/** How the texts of a command line become values. Commander turns the error into a usage message. */
import { existsSync, readFileSync } from 'node:fs';
import { STAFF_GROUPS } from '@thingstead/contracts/grants';
import { SENSOR_NAME, THING_NAME } from '@thingstead/contracts/names';
import { InvalidArgumentError } from 'commander';
import { CommandError } from './command-error.ts';
import { certificateIdOf } from './x509.ts';

export function thingName(text: string): string {
  if (THING_NAME.test(text)) return text;
  throw new InvalidArgumentError(
    'A thing name is 1 to 64 letters, digits, "_" or "-"; it becomes client id and common name.',
  );
}

export function sensorName(text: string): string {
  if (SENSOR_NAME.test(text)) return text;
  throw new InvalidArgumentError('A sensor name is 1 to 64 letters, digits, "_", "." or "-".');
}

export function positiveInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

export function positiveNumber(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** `key=value`, any number of times. */
export function keyValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be of the form key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function siteName(text: string): string {
  if (/^[a-zA-Z0-9_]{1,63}$/.test(text)) return text;
  throw new InvalidArgumentError('A site is 1 to 63 letters, digits or "_".');
}

/** What it takes for a mail to have a chance to arrive; the user pool knows better. */
export function emailAddress(text: string): string {
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an e-mail address.');
}

export function staffGroup(text: string): string {
  if (STAFF_GROUPS.some((group) => group === text)) return text;
  throw new InvalidArgumentError(`It must be one of ${STAFF_GROUPS.join(', ')}.`);
}

/** A group, any number of times. */
export function staffGroups(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, staffGroup(text)];
}

export function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be JSON.');
  }
}

/** `fan=on`, `level=3`, `fan=null`: the value as JSON, or as text when it is none. @throws CommandError (usage) */
export function jsonMember(text: string): readonly [key: string, value: unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandError('usage', `"${text}" is not of the form key=value.`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

/** A certificate named by its id (64 hex digits) or by its file. @throws CommandError (usage). */
export function certificateId(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  if (existsSync(text)) return certificateIdOf(readFileSync(text, 'utf8'));
  throw new CommandError('usage', `"${text}" is neither a certificate id nor a file.`, {
    causes: ['an id is the SHA-256 of the certificate: 64 hex digits'],
  });
}
