/**
 * FilterCriteria of event source mappings: a function gets the records that match one of up to five event patterns.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
import type { FilterCriteria } from '@aws-sdk/client-lambda';
import { AwsError } from '../../../kernel/errors.ts';
import { compileEventPattern } from '../../events/event-pattern.ts';
import { invalidValue } from '../errors.ts';

const MAX_FILTERS = 5;
const MAX_PATTERN_CHARACTERS = 4096;

export interface RecordFilter {
  readonly patterns: readonly string[];
  /** `record` is what patterns see: the record of the event, its payload parsed. */
  matches(record: unknown): boolean;
}

/**
 * Compiles the criteria once; undefined when there are none.
 *
 * @throws AwsError InvalidParameterValueException that says what is wrong with a pattern
 */
export function readFilterCriteria({ Filters = [] }: FilterCriteria = {}): RecordFilter | undefined {
  if (Filters.length === 0) return undefined;
  if (Filters.length > MAX_FILTERS) {
    throw invalidValue(`FilterCriteria has ${Filters.length} filters; a mapping can have ${MAX_FILTERS}.`);
  }
  const patterns = Filters.map(({ Pattern = '' }) => Pattern);
  const matchers = patterns.map(compile);
  return { patterns, matches: (record) => matchers.some((matches) => matches(record)) };
}

function compile(pattern: string): (record: unknown) => boolean {
  if (pattern.length > MAX_PATTERN_CHARACTERS) {
    throw invalidValue(
      `A filter pattern has at most ${MAX_PATTERN_CHARACTERS} characters, this one ${pattern.length}.`,
    );
  }
  try {
    return compileEventPattern(pattern);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalidValue(`Invalid filter pattern definition. ${error.message}`);
  }
}

/** The payload of a record as patterns see it: an object when it is JSON of one, otherwise the text. */
export function payloadForFilter(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Text that is no JSON is compared as text.
  }
  return text;
}
