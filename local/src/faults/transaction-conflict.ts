import { AwsError } from '../kernel/errors.ts';
import { cancelled } from '../services/dynamodb/transaction-cancelled.ts';

const MESSAGE = 'Transaction is ongoing for the item';
const SINGLE_WRITES: readonly string[] = ['PutItem', 'UpdateItem', 'DeleteItem'];
const TRANSACTIONS: readonly string[] = ['TransactWriteItems', 'TransactGetItems'];

/** True for what DynamoDB may refuse because a transaction of somebody else holds an item. */
export function mayConflict(service: string, operation: string): boolean {
  return service === 'dynamodb' && [...SINGLE_WRITES, ...TRANSACTIONS].includes(operation);
}

/**
 * The refusal. Of a transaction its first item is the one that is held.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 */
export function transactionConflict(operation: string, input: unknown): AwsError {
  if (SINGLE_WRITES.includes(operation)) return new AwsError('TransactionConflictException', MESSAGE);
  const { TransactItems = [] } = input as { readonly TransactItems?: readonly unknown[] };
  const reasons = TransactItems.map((_, at) =>
    at === 0 ? { Code: 'TransactionConflict', Message: MESSAGE } : { Code: 'None' },
  );
  return cancelled(reasons);
}
