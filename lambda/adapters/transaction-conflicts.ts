import { setTimeout as pause } from 'node:timers/promises';
import { TransactionCanceledException, TransactionConflictException } from '@aws-sdk/client-dynamodb';

const MAX_ATTEMPTS = 6;
const PAUSE_MS = 40;

/**
 * Tries again while another transaction holds the same rows: that decides nothing, unlike a condition that fails.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 */
export async function throughConflicts<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
      await pause(Math.random() * PAUSE_MS * 2 ** attempt);
    }
  }
}

/** True when one of the conditions of a transaction did not hold. */
export function isConditionFailed(error: unknown): boolean {
  return reasonsOf(error).includes('ConditionalCheckFailed');
}

function isConflict(error: unknown): boolean {
  if (error instanceof TransactionConflictException) return true;
  return !isConditionFailed(error) && reasonsOf(error).includes('TransactionConflict');
}

function reasonsOf(error: unknown): readonly (string | undefined)[] {
  if (!(error instanceof TransactionCanceledException)) return [];
  return (error.CancellationReasons ?? []).map(({ Code }) => Code);
}
