/** How the texts of a command line become values. Commander turns the error into a usage message. */
import { existsSync, readFileSync } from 'node:fs';
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

/** A certificate named by its id (64 hex digits) or by its file. @throws CommandError (usage). */
export function certificateId(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  if (existsSync(text)) return certificateIdOf(readFileSync(text, 'utf8'));
  throw new CommandError('usage', `"${text}" is neither a certificate id nor a file.`, {
    causes: ['an id is the SHA-256 of the certificate: 64 hex digits'],
  });
}
