/** Names of delivered objects ("Understand custom prefixes for Amazon S3 objects" and "object name format" of Firehose). */
import { randomBytes, randomUUID } from 'node:crypto';
import { invalid } from '../../kernel/errors.ts';

/** A prefix, ready to be evaluated for each object. */
export type Prefix = (arrivedAt: Date) => string;

const EXPRESSION = /!\{([^}:]*):([^}]*)\}/g;
/** Letters of Java's DateTimeFormatter that date partitions use; quoted text and punctuation stand for themselves. */
const PATTERN_PART = /'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']/g;

const FIELDS: Readonly<Record<string, (time: Date) => number>> = {
  y: (time) => time.getUTCFullYear(),
  u: (time) => time.getUTCFullYear(),
  M: (time) => time.getUTCMonth() + 1,
  d: (time) => time.getUTCDate(),
  H: (time) => time.getUTCHours(),
  m: (time) => time.getUTCMinutes(),
  s: (time) => time.getUTCSeconds(),
};

/** @throws AwsError InvalidArgumentException for a letter that is not emulated */
function compileTimestamp(pattern: string): Prefix {
  const parts = (pattern.match(PATTERN_PART) ?? []).map((part): Prefix => {
    if (part === "''") return () => "'";
    if (part.startsWith("'")) return () => part.slice(1, -1).replaceAll("''", "'");
    const letter = part[0] ?? '';
    if (!/[A-Za-z]/.test(letter)) return () => part;
    const field = FIELDS[letter];
    if (field === undefined || part.length > 4 || (part.length > 2 && letter !== 'y' && letter !== 'u')) {
      throw invalid(
        `The timestamp pattern ${pattern} is not emulated: ${part} is none of yyyy, MM, dd, HH, mm, ss`,
        'InvalidArgumentException',
      );
    }
    if (part.length === 2 && (letter === 'y' || letter === 'u')) {
      return (time) => String(field(time) % 100).padStart(2, '0');
    }
    return (time) => String(field(time)).padStart(part.length, '0');
  });
  return (time) => parts.map((part) => part(time)).join('');
}

function randomString(): string {
  return randomBytes(8).toString('hex').slice(0, 11);
}

function compileExpression(namespace: string, value: string, errorOutputType: string | undefined): Prefix {
  if (namespace === 'timestamp') return compileTimestamp(value);
  if (namespace === 'firehose' && value === 'random-string') return randomString;
  if (namespace === 'firehose' && value === 'error-output-type' && errorOutputType !== undefined) {
    return () => errorOutputType;
  }
  throw invalid(`The expression !{${namespace}:${value}} is not valid in this prefix`, 'InvalidArgumentException');
}

const DEFAULT_TIMESTAMP = compileTimestamp('yyyy/MM/dd/HH/');

/**
 * Compiles a prefix; without an expression in it, the default one of the hour follows. `errorOutputType` is what
 * `!{firehose:error-output-type}` stands for, which only the prefix of errors may say.
 *
 * @throws AwsError InvalidArgumentException for an expression that is unknown or not emulated
 */
export function compilePrefix(prefix: string, errorOutputType?: string): Prefix {
  const parts: Prefix[] = [];
  let [end, hasExpression] = [0, false];
  for (const match of prefix.matchAll(EXPRESSION)) {
    const literal = prefix.slice(end, match.index);
    parts.push(() => literal, compileExpression(match[1] ?? '', match[2] ?? '', errorOutputType));
    end = match.index + match[0].length;
    hasExpression = true;
  }
  const rest = prefix.slice(end);
  parts.push(() => rest);
  if (!hasExpression) parts.push(DEFAULT_TIMESTAMP);
  return (time) => parts.map((part) => part(time)).join('');
}

/**
 * What an expression in Prefix asks of the prefix for errors.
 *
 * @throws AwsError InvalidArgumentException
 */
export function checkPrefixes(prefix: string, errorOutputPrefix: string | undefined): void {
  compilePrefix(prefix);
  if (errorOutputPrefix !== undefined) {
    compilePrefix(errorOutputPrefix, 'processing-failed');
    if (errorOutputPrefix.includes('!{') && !errorOutputPrefix.includes('!{firehose:error-output-type}')) {
      throw invalid(
        'ErrorOutputPrefix must include at least one instance of !{firehose:error-output-type}',
        'InvalidArgumentException',
      );
    }
  } else if (prefix.includes('!{')) {
    throw invalid(
      'ErrorOutputPrefix cannot be null or empty when Prefix contains expressions',
      'InvalidArgumentException',
    );
  }
}

const SUFFIX_TIME = compileTimestamp('yyyy-MM-dd-HH-mm-ss');

/** `<prefix><stream>-<version>-<yyyy-MM-dd-HH-mm-ss>-<uuid><extension>`, at the arrival of the oldest record, UTC. */
export function objectKey(prefix: Prefix, stream: string, version: string, arrivedAt: Date, extension: string): string {
  return `${prefix(arrivedAt)}${stream}-${version}-${SUFFIX_TIME(arrivedAt)}-${randomUUID()}${extension}`;
}
