import { AwsError } from '../kernel/errors.ts';
import type { Faults } from './faults.ts';
import { type HarmAt, POINTS } from './points.ts';
import { mayConflict, transactionConflict } from './transaction-conflict.ts';

const CRASHES: readonly HarmAt<'call'>[] = ['crash-before', 'crash-after'];

/** The client gets no answer: its connection is to be cut. */
export class ConnectionCut extends Error {}

export interface Call {
  /** Whose access key signed it: that of an execution environment tells the function. */
  readonly accessKeyId: string;
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
}

/**
 * Makes a call that came by the AWS endpoint, with the harm that the plan has for it. The errors are those that all
 * services have: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 *
 * @throws ConnectionCut, AwsError InternalFailure, ThrottlingException or that of a transaction's conflict, and what `run` throws
 */
export async function harmedCall<Output>(
  faults: Faults,
  { accessKeyId, service, operation, input }: Call,
  run: () => Promise<Output>,
): Promise<Output> {
  const environment = faults.environments.get(accessKeyId);
  const facts = { function: environment?.functionName, service, operation };
  const harms = POINTS.call.harms.filter(
    (each) => (environment || !CRASHES.includes(each)) && (each !== 'conflict' || mayConflict(service, operation)),
  );
  const harm = faults.draw('call', facts, { harms });
  switch (harm?.do) {
    case undefined:
      return run();
    case 'error':
      throw new AwsError('InternalFailure', 'The fault plan wants this call to fail.', 500);
    case 'throttle':
      throw new AwsError('ThrottlingException', 'Rate exceeded: the fault plan wants this call to be throttled.');
    case 'conflict':
      throw transactionConflict(operation, input);
    case 'lose-answer':
      await runUnheard(run);
      break;
    case 'crash-after':
      await runUnheard(run);
      environment?.crash();
      break;
    case 'crash-before':
      environment?.crash();
      break;
  }
  throw new ConnectionCut();
}

/** A refusal is an answer, too, that nobody gets. */
async function runUnheard(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}
