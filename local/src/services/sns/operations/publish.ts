import type {
  BatchResultErrorEntry,
  PublishBatchCommandInput,
  PublishBatchResponse,
  PublishBatchResultEntry,
  PublishCommandInput,
  PublishResponse,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import { deliverToAll } from '../deliver.ts';
import { invalidParameter } from '../errors.ts';
import { MAX_MESSAGE_BYTES, type PublishedMessage, prepareMessage } from '../message.ts';
import { type Carrier, push } from '../send.ts';
import type { Topics } from '../topics.ts';

const MAX_BATCH = 10;
/** E.164, as SNS takes it. */
const PHONE_NUMBER = /^\+?[1-9]\d{2,14}$/;

/** Publish to a topic, a platform endpoint, or a telephone number: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
export function publish(topics: Topics, carrier: Carrier): AnyOperation {
  const { kernel, platforms } = carrier;
  return operation<PublishCommandInput, PublishResponse>({
    permissions(input): readonly Permission[] {
      const target = targetOf(input);
      if (input.PhoneNumber !== undefined || isEndpoint(target)) return [{ action: 'sns:Publish', resource: target }];
      return [topics.permission('Publish', target)];
    },
    async run(input, context) {
      const target = targetOf(input);
      const message = prepareMessage(input);
      if (input.PhoneNumber !== undefined) text(carrier, target, message);
      else if (isEndpoint(target)) push(kernel, platforms.getEndpoint(target), message, null);
      else {
        const topic = topics.get(target);
        await topic.requireKey(kernel, context);
        deliverToAll(carrier, topic, message);
      }
      return { MessageId: message.id };
    },
  });
}

/** PublishBatch: up to ten messages, each accepted or refused by itself. */
export function publishBatch(topics: Topics, carrier: Carrier): AnyOperation {
  return operation<PublishBatchCommandInput, PublishBatchResponse>({
    permissions: (input) => [topics.permission('Publish', input.TopicArn)],
    async run(input, context) {
      const entries = checkBatch(input);
      const topic = topics.get(input.TopicArn);
      await topic.requireKey(carrier.kernel, context);
      const accepted: { readonly Id: string | undefined; readonly message: PublishedMessage }[] = [];
      const Failed: BatchResultErrorEntry[] = [];
      for (const entry of entries) {
        try {
          accepted.push({ Id: entry.Id, message: prepareMessage(entry) });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
        }
      }
      const bytes = accepted.reduce((sum, { message }) => sum + message.bytes, 0);
      if (bytes > MAX_MESSAGE_BYTES) {
        throw new AwsError(
          'BatchRequestTooLong',
          'The length of all the messages put together is more than the limit.',
        );
      }
      const Successful: PublishBatchResultEntry[] = [];
      for (const { Id, message } of accepted) {
        deliverToAll(carrier, topic, message);
        Successful.push({ Id, MessageId: message.id });
      }
      return { Successful, Failed };
    },
  });
}

function checkBatch({ PublishBatchRequestEntries: entries = [] }: PublishBatchCommandInput) {
  if (entries.length === 0) throw new AwsError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
  if (entries.length > MAX_BATCH) {
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      `The batch request contains more entries than permissible: ${MAX_BATCH}.`,
    );
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
  }
  return entries;
}

function targetOf({ TopicArn, TargetArn, PhoneNumber }: PublishCommandInput): string {
  const [target, ...more] = [TopicArn, TargetArn, PhoneNumber].filter((each) => each !== undefined);
  if (target === undefined) throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter');
  if (more.length > 0) throw invalidParameter('Only one of TopicArn, TargetArn and PhoneNumber can be given');
  return target;
}

function isEndpoint(arn: string): boolean {
  return /^arn:aws:sns:[^:]*:\d*:endpoint\//.test(arn);
}

function text({ kernel }: Carrier, phoneNumber: string, message: PublishedMessage): void {
  if (!PHONE_NUMBER.test(phoneNumber)) {
    throw invalidParameter(`PhoneNumber Reason: ${phoneNumber} is not valid to publish to`);
  }
  kernel.outbox.add({
    channel: 'sms',
    destination: phoneNumber,
    topic: null,
    subject: null,
    message: message.text('sms'),
    details: {},
  });
}
