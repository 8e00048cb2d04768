import type {
  DeleteMessageBatchCommandInput,
  DeleteMessageBatchResult,
  DeleteMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Queue } from '../queue.ts';
import type { Queues } from '../queues.ts';
import { runBatch } from './batch.ts';
import { checkReceiptHandle } from './receipt-handle.ts';

/** DeleteMessage. A receipt handle that is no longer the newest succeeds and deletes nothing, as on AWS. */
export function deleteMessage(queues: Queues): AnyOperation {
  return operation<DeleteMessageCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('DeleteMessage', queues.getByUrl(input.QueueUrl))],
    run(input) {
      remove(queues, queues.getByUrl(input.QueueUrl), input.ReceiptHandle);
      return {};
    },
  });
}

/** DeleteMessageBatch: up to ten messages. */
export function deleteMessageBatch(queues: Queues): AnyOperation {
  return operation<DeleteMessageBatchCommandInput, DeleteMessageBatchResult>({
    permissions: (input) => [queues.permission('DeleteMessage', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const queue = queues.getByUrl(input.QueueUrl);
      return runBatch(input.Entries, (entry, id) => {
        remove(queues, queue, entry.ReceiptHandle);
        return { Id: id };
      });
    },
  });
}

function remove(queues: Queues, queue: Queue, receiptHandle: string | undefined): void {
  const message = queue.findReceived(checkReceiptHandle(receiptHandle));
  if (!message) return;
  queue.delete(message);
  queues.count(queue, 'NumberOfMessagesDeleted', 1);
}
