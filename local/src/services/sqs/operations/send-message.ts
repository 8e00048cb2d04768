import type {
  MessageAttributeValue,
  MessageSystemAttributeValue,
  SendMessageBatchCommandInput,
  SendMessageBatchResult,
  SendMessageCommandInput,
  SendMessageResult,
} from '@aws-sdk/client-sqs';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, CallContext } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';
import { md5, md5OfAttributes, sizeOfAttributes } from '../message-attributes.ts';
import type { NewMessage, Queue } from '../queue.ts';
import { fifoNotEmulated } from '../queue-attributes.ts';
import type { Queues } from '../queues.ts';
import { runBatch } from './batch.ts';

interface MessageInput {
  readonly MessageBody?: string | undefined;
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: Record<string, MessageAttributeValue> | undefined;
  readonly MessageSystemAttributes?: Partial<Record<string, MessageSystemAttributeValue>> | undefined;
  readonly MessageGroupId?: string | undefined;
  readonly MessageDeduplicationId?: string | undefined;
}

const TO_SEND = ['GenerateDataKey', 'Decrypt'] as const;

/** SendMessage: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export function sendMessage(queues: Queues): AnyOperation {
  return operation<SendMessageCommandInput, SendMessageResult>({
    permissions: (input) => [queues.permission('SendMessage', queues.getByUrl(input.QueueUrl))],
    async run(input, context) {
      const queue = queues.getByUrl(input.QueueUrl);
      const { message } = prepare(queue, input, context);
      await queues.requireKey(queue, TO_SEND, context);
      const result = add(queue, message, input);
      queues.count(queue, 'NumberOfMessagesSent', 1);
      queue.deliver();
      return result;
    },
  });
}

/** SendMessageBatch: up to ten messages and 1 MiB, each accepted or refused by itself. */
export function sendMessageBatch(queues: Queues): AnyOperation {
  return operation<SendMessageBatchCommandInput, SendMessageBatchResult>({
    permissions: (input) => [queues.permission('SendMessage', queues.getByUrl(input.QueueUrl))],
    async run(input, context) {
      const queue = queues.getByUrl(input.QueueUrl);
      let total = 0;
      const prepared = runBatch(input.Entries, (entry, id) => {
        const { message, size } = prepare(queue, entry, context);
        total += size;
        return { id, entry, message };
      });
      if (total > 1_048_576) {
        throw new AwsError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than 1048576 bytes. You have sent ${total} bytes.`,
        );
      }
      await queues.requireKey(queue, TO_SEND, context);
      const Successful = prepared.Successful.map(({ id, entry, message }) => ({
        Id: id,
        ...add(queue, message, entry),
      }));
      queues.count(queue, 'NumberOfMessagesSent', Successful.length);
      queue.deliver();
      return { Successful, Failed: prepared.Failed };
    },
  });
}

function prepare(
  queue: Queue,
  input: MessageInput,
  { caller }: CallContext,
): { readonly message: NewMessage; readonly size: number } {
  if (input.MessageDeduplicationId !== undefined) throw fifoNotEmulated();
  const body = input.MessageBody;
  if (typeof body !== 'string' || body === '') {
    throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 cannot carry is what SQS refuses
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(body)) {
    throw new AwsError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
    );
  }
  const delay = input.DelaySeconds ?? 0;
  if (!Number.isInteger(delay) || delay < 0 || delay > 900) {
    throw invalidParameter(
      `Value ${delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`,
    );
  }
  const given = input.MessageAttributes;
  const attributes = given && Object.keys(given).length > 0 ? given : undefined;
  const size = Buffer.byteLength(body) + (attributes ? sizeOfAttributes(attributes) : 0);
  if (size > queue.settings.maximumMessageBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${queue.settings.maximumMessageBytes} bytes.`,
    );
  }
  const message = {
    body,
    md5OfBody: md5(body),
    attributes,
    md5OfAttributes: attributes && md5OfAttributes(attributes),
    traceHeader: input.MessageSystemAttributes?.AWSTraceHeader?.StringValue,
    senderId: caller.kind === 'role' ? `${caller.roleName}:${caller.sessionName}` : caller.arn,
  };
  return { message, size };
}

function add(queue: Queue, message: NewMessage, input: MessageInput) {
  const delayMs = input.DelaySeconds === undefined ? queue.settings.delayMs : input.DelaySeconds * 1000;
  const { id, md5OfBody, md5OfAttributes: attributesDigest } = queue.add(message, delayMs);
  return { MessageId: id, MD5OfMessageBody: md5OfBody, MD5OfMessageAttributes: attributesDigest };
}
