/**
 * What a function with ReportBatchItemFailures says about its batch.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export type BatchOutcome =
  | { readonly kind: 'success' }
  | { readonly kind: 'partial'; readonly failed: ReadonlySet<string> }
  /** The answer cannot be understood: the whole batch counts as failed. */
  | { readonly kind: 'malformed' };

/**
 * Reads the answer of a function. `identifiers` are those of the batch: message ids or sequence numbers; an identifier
 * that is not among them, empty, null or under another key makes the answer malformed.
 */
export function readBatchOutcome(payload: string, identifiers: ReadonlySet<string>): BatchOutcome {
  // A handler that returns nothing gives null; the payload itself always is JSON.
  const answer: unknown = JSON.parse(payload);
  if (answer === null || answer === '') return { kind: 'success' };
  if (typeof answer !== 'object' || Array.isArray(answer)) return { kind: 'malformed' };
  const failures: unknown = Reflect.get(answer, 'batchItemFailures');
  if (failures === undefined || failures === null) {
    return Object.keys(answer).length === 0 || failures === null ? { kind: 'success' } : { kind: 'malformed' };
  }
  if (!Array.isArray(failures)) return { kind: 'malformed' };
  const failed = new Set<string>();
  for (const failure of failures) {
    const identifier: unknown = Object(failure).itemIdentifier;
    if (typeof identifier !== 'string' || !identifiers.has(identifier)) return { kind: 'malformed' };
    failed.add(identifier);
  }
  return failed.size === 0 ? { kind: 'success' } : { kind: 'partial', failed };
}
