import { jsonProtocol, queryProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { internalOperation } from '../internal-operation.ts';
import { QUERY_ERROR_CODES, queueDoesNotExist } from './errors.ts';
import { changeMessageVisibility, changeMessageVisibilityBatch } from './operations/change-message-visibility.ts';
import { deleteMessage, deleteMessageBatch } from './operations/delete-message.ts';
import { createQueue, deleteQueue, getQueueUrl, listQueues, purgeQueue } from './operations/queue-administration.ts';
import {
  getQueueAttributes,
  listDeadLetterSourceQueues,
  listQueueTags,
  setQueueAttributes,
  tagQueue,
  untagQueue,
} from './operations/queue-attributes.ts';
import { receiveMessage } from './operations/receive-message.ts';
import { sendMessage, sendMessageBatch } from './operations/send-message.ts';
import { Queues } from './queues.ts';

/** The input of the internal operation `WatchQueue`. */
export interface WatchQueueInput {
  readonly queueArn: string;
  /** Called whenever messages can be received. */
  readonly onMessages: () => void;
}

/** The output of `WatchQueue`: calling it ends the watch. */
export type StopWatching = () => void;

/**
 * Amazon SQS, standard queues. Beside AWS's operations it has the internal `WatchQueue`, by which an event source hears
 * of messages instead of polling.
 */
export function createSqsService(kernel: Kernel): Service {
  const queues = new Queues(kernel);
  return {
    name: 'sqs',
    signingNames: ['sqs'],
    protocols: [
      jsonProtocol({
        version: '1.0',
        targetPrefix: 'AmazonSQS',
        queryErrorCodes: QUERY_ERROR_CODES,
        inputTypes: {
          SendMessage: { 'MessageAttributes.*.BinaryValue': 'blob' },
          SendMessageBatch: { 'Entries.MessageAttributes.*.BinaryValue': 'blob' },
        },
      }),
      queryProtocol({
        apiVersion: '2012-11-05',
        namespace: 'http://queue.amazonaws.com/doc/2012-11-05/',
        errorCodes: QUERY_ERROR_CODES,
        flattened: {
          Attributes: { name: 'Attribute', key: 'Name', value: 'Value' },
          AttributeNames: 'AttributeName',
          MessageAttributes: { name: 'MessageAttribute', key: 'Name', value: 'Value' },
          MessageAttributeNames: 'MessageAttributeName',
          MessageSystemAttributeNames: 'MessageSystemAttributeName',
          Messages: 'Message',
          'ListQueues.QueueUrls': 'QueueUrl',
          'SendMessageBatch.Entries': 'SendMessageBatchRequestEntry',
          'SendMessageBatch.Successful': 'SendMessageBatchResultEntry',
          'DeleteMessageBatch.Entries': 'DeleteMessageBatchRequestEntry',
          'DeleteMessageBatch.Successful': 'DeleteMessageBatchResultEntry',
          'ChangeMessageVisibilityBatch.Entries': 'ChangeMessageVisibilityBatchRequestEntry',
          'ChangeMessageVisibilityBatch.Successful': 'ChangeMessageVisibilityBatchResultEntry',
          Failed: 'BatchResultErrorEntry',
        },
        inputTypes: {
          '*': {
            DelaySeconds: 'number',
            MaxNumberOfMessages: 'number',
            MaxResults: 'number',
            VisibilityTimeout: 'number',
            WaitTimeSeconds: 'number',
            'Entries.DelaySeconds': 'number',
            'Entries.VisibilityTimeout': 'number',
            'MessageAttributes.*.BinaryValue': 'blob',
            'Entries.MessageAttributes.*.BinaryValue': 'blob',
          },
        },
      }),
    ],
    operations: {
      ChangeMessageVisibility: changeMessageVisibility(queues),
      ChangeMessageVisibilityBatch: changeMessageVisibilityBatch(queues),
      CreateQueue: createQueue(queues),
      DeleteMessage: deleteMessage(queues),
      DeleteMessageBatch: deleteMessageBatch(queues),
      DeleteQueue: deleteQueue(queues),
      GetQueueAttributes: getQueueAttributes(queues),
      GetQueueUrl: getQueueUrl(queues),
      ListDeadLetterSourceQueues: listDeadLetterSourceQueues(queues),
      ListQueues: listQueues(queues),
      ListQueueTags: listQueueTags(queues),
      PurgeQueue: purgeQueue(queues),
      ReceiveMessage: receiveMessage(queues),
      SendMessage: sendMessage(queues),
      SendMessageBatch: sendMessageBatch(queues),
      SetQueueAttributes: setQueueAttributes(queues),
      TagQueue: tagQueue(queues),
      UntagQueue: untagQueue(queues),
      WatchQueue: internalOperation<WatchQueueInput, StopWatching>('sqs', 'WatchQueue', ({ queueArn, onMessages }) => {
        const queue = queues.findByArn(queueArn);
        if (!queue) throw queueDoesNotExist();
        return queue.watch(onMessages);
      }),
    },
    state: queues,
    close: async () => {
      for (const queue of queues.all) queue.close();
    },
  };
}
