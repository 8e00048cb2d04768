import type {
  ChangeMessageVisibilityBatchCommandInput,
  ChangeMessageVisibilityBatchResult,
  ChangeMessageVisibilityCommandInput,
} from '@aws-sdk/client-sqs';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';
import type { Queue } from '../queue.ts';
import type { Queues } from '../queues.ts';
import { runBatch } from './batch.ts';
import { checkReceiptHandle } from './receipt-handle.ts';

/** ChangeMessageVisibility: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html */
export function changeMessageVisibility(queues: Queues): AnyOperation {
  return operation<ChangeMessageVisibilityCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('ChangeMessageVisibility', queues.getByUrl(input.QueueUrl))],
    run(input) {
      change(queues.getByUrl(input.QueueUrl), input.ReceiptHandle, input.VisibilityTimeout);
      return {};
    },
  });
}

/** ChangeMessageVisibilityBatch: up to ten messages. */
export function changeMessageVisibilityBatch(queues: Queues): AnyOperation {
  return operation<ChangeMessageVisibilityBatchCommandInput, ChangeMessageVisibilityBatchResult>({
    permissions: (input) => [queues.permission('ChangeMessageVisibility', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const queue = queues.getByUrl(input.QueueUrl);
      return runBatch(input.Entries, (entry, id) => {
        change(queue, entry.ReceiptHandle, entry.VisibilityTimeout);
        return { Id: id };
      });
    },
  });
}

function change(queue: Queue, receiptHandle: string | undefined, seconds: number | undefined): void {
  if (seconds === undefined || !Number.isInteger(seconds) || seconds < 0 || seconds > 43_200) {
    throw invalidParameter(
      `Value ${seconds} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.`,
    );
  }
  const message = queue.findReceived(checkReceiptHandle(receiptHandle));
  if (!message) {
    throw invalidParameter(
      `Value ${receiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    );
  }
  if (message.state !== 'in-flight') {
    throw new AwsError('MessageNotInflight', 'The message referred to is not in flight.');
  }
  queue.changeVisibility(message, seconds * 1000);
}
