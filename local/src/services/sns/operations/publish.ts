import { randomUUID } from 'node:crypto';
import type {
  BatchResultErrorEntry,
  MessageAttributeValue,
  PublishBatchCommandInput,
  PublishBatchResponse,
  PublishBatchResultEntry,
  PublishCommandInput,
  PublishResponse,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { deliverToAll, type PublishedMessage } from '../deliver.ts';
import { invalidParameter } from '../errors.ts';
import type { Outbox } from '../outbox.ts';
import type { Topics } from '../topics.ts';

const MAX_MESSAGE_BYTES = 256 * 1024;

interface MessageInput {
  readonly Message?: string | undefined;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: Record<string, MessageAttributeValue> | undefined;
  readonly MessageGroupId?: string | undefined;
}

/** Publish to a topic, or to a telephone number: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
export function publish(topics: Topics, outbox: Outbox): AnyOperation {
  return operation<PublishCommandInput, PublishResponse>({
    permissions(input) {
      if (input.PhoneNumber !== undefined) return [{ action: 'sns:Publish', resource: '*' }];
      return [topics.permission('Publish', topicArn(input))];
    },
    run(input, { caller }) {
      const message = prepare(input);
      const { kernel } = topics;
      if (input.PhoneNumber !== undefined) {
        outbox.add({
          Protocol: 'sms',
          Endpoint: input.PhoneNumber,
          TopicArn: undefined,
          Subject: undefined,
          Message: message.text('sms'),
          Timestamp: new Date(kernel.clock.now()),
        });
        return { MessageId: message.id };
      }
      const topic = topics.get(topicArn(input));
      topic.checkKey(caller);
      deliverToAll(kernel, outbox, topic, message);
      return { MessageId: message.id };
    },
  });
}

/** PublishBatch: up to ten messages, each accepted or refused by itself. */
export function publishBatch(topics: Topics, outbox: Outbox): AnyOperation {
  return operation<PublishBatchCommandInput, PublishBatchResponse>({
    permissions: (input) => [topics.permission('Publish', input.TopicArn)],
    run(input, { caller }) {
      const entries = input.PublishBatchRequestEntries ?? [];
      if (entries.length === 0)
        throw new AwsError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
      if (entries.length > 10) {
        throw new AwsError(
          'TooManyEntriesInBatchRequest',
          'The batch request contains more entries than permissible: 10.',
        );
      }
      if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
        throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
      }
      const topic = topics.get(input.TopicArn);
      topic.checkKey(caller);
      const Successful: PublishBatchResultEntry[] = [];
      const Failed: BatchResultErrorEntry[] = [];
      for (const entry of entries) {
        try {
          const message = prepare(entry);
          deliverToAll(topics.kernel, outbox, topic, message);
          Successful.push({ Id: entry.Id, MessageId: message.id });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
        }
      }
      return { Successful, Failed };
    },
  });
}

function topicArn({ TopicArn, TargetArn }: PublishCommandInput): string {
  const arn = TopicArn ?? TargetArn;
  if (arn === undefined) throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter');
  if (/:endpoint\//.test(arn)) {
    throw new AwsError('NotEmulated', `The local runtime does not emulate mobile push endpoints (${arn}).`, 501);
  }
  return arn;
}

function prepare(input: MessageInput): PublishedMessage {
  const { Message, Subject, MessageStructure } = input;
  if (!Message) throw invalidParameter('Empty message');
  if (input.MessageGroupId !== undefined) {
    throw new AwsError('NotEmulated', 'The local runtime does not emulate FIFO topics.', 501);
  }
  if (Subject !== undefined && !/^[\x20-\x7e]{1,100}$/.test(Subject)) {
    throw invalidParameter('Subject must be 1 to 100 ASCII characters without line breaks');
  }
  const attributes = input.MessageAttributes;
  const size = Buffer.byteLength(Message) + (attributes ? Buffer.byteLength(JSON.stringify(attributes)) : 0);
  if (size > MAX_MESSAGE_BYTES) throw invalidParameter('Message too long');
  const byProtocol = MessageStructure === 'json' ? readStructure(Message) : undefined;
  return {
    id: randomUUID(),
    subject: Subject,
    attributes: attributes && Object.keys(attributes).length > 0 ? attributes : undefined,
    text: (protocol) => (byProtocol ? String(byProtocol[protocol] ?? byProtocol.default) : Message),
  };
}

function readStructure(message: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  }
  const byProtocol = Object(value) as Record<string, unknown>;
  if (typeof byProtocol.default !== 'string') {
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  }
  return byProtocol;
}
