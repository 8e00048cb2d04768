import type { Message, ReceiveMessageCommandInput, ReceiveMessageResult } from '@aws-sdk/client-sqs';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';
import { md5OfAttributes, selectAttributes } from '../message-attributes.ts';
import type { StoredMessage } from '../queue.ts';
import type { Queues } from '../queues.ts';

const MAX_IN_FLIGHT = 120_000;

/** ReceiveMessage, with long polling: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
export function receiveMessage(queues: Queues): AnyOperation {
  return operation<ReceiveMessageCommandInput, ReceiveMessageResult>({
    permissions: (input) => [queues.permission('ReceiveMessage', queues.getByUrl(input.QueueUrl))],
    async run(input, context) {
      const queue = queues.getByUrl(input.QueueUrl);
      const max = inRange('MaxNumberOfMessages', input.MaxNumberOfMessages, 1, 10) ?? 1;
      const visibility = inRange('VisibilityTimeout', input.VisibilityTimeout, 0, 43_200);
      const wait = inRange('WaitTimeSeconds', input.WaitTimeSeconds, 0, 20);
      if (queue.inFlightCount >= MAX_IN_FLIGHT) {
        throw new AwsError('OverLimit', 'Too many messages in flight: the limit of a standard queue is 120000.', 403);
      }
      await queues.requireKey(queue, ['Decrypt'], context);
      const messages = await queue.receive(
        max,
        visibility === undefined ? queue.settings.visibilityMs : visibility * 1000,
        wait === undefined ? queue.settings.waitMs : wait * 1000,
      );
      queues.count(queue, 'NumberOfMessagesReceived', messages.length);
      if (messages.length === 0) queues.count(queue, 'NumberOfEmptyReceives', 1);
      const system = new Set<string>([...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])]);
      const Messages = messages.map((each) => toMessage(each, system, input.MessageAttributeNames));
      return messages.length > 0 ? { Messages } : {};
    },
  });
}

function toMessage(
  message: StoredMessage,
  system: ReadonlySet<string>,
  wanted: readonly string[] | undefined,
): Message {
  const attributes = selectAttributes(message.attributes, wanted);
  const systemAttributes = selectSystemAttributes(message, system);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: message.md5OfBody,
    Body: message.body,
    ...(systemAttributes && { Attributes: systemAttributes }),
    ...(attributes && {
      MD5OfMessageAttributes: attributes === message.attributes ? message.md5OfAttributes : md5OfAttributes(attributes),
      MessageAttributes: attributes,
    }),
  };
}

function selectSystemAttributes(
  message: StoredMessage,
  wanted: ReadonlySet<string>,
): Record<string, string> | undefined {
  if (wanted.size === 0) return undefined;
  const all: Record<string, string | undefined> = {
    SenderId: message.senderId,
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    AWSTraceHeader: message.traceHeader,
    DeadLetterQueueSourceArn: message.sourceArn,
  };
  const selected: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined && (wanted.has('All') || wanted.has(name))) selected[name] = value;
  }
  return selected;
}

function inRange(name: string, value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidParameter(
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
  );
}
