import { AwsError } from '../../kernel/errors.ts';
import type { Item } from './attribute-value.ts';

/** What became of one action of a transaction that was cancelled. */
export interface Reason {
  /** `None` for an action that was not to blame. */
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

/** A TransactionCanceledException, with one reason per action. */
export function cancelled(reasons: readonly Reason[]): AwsError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    { CancellationReasons: reasons },
  );
}
