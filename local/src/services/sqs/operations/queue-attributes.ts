import type {
  GetQueueAttributesCommandInput,
  GetQueueAttributesResult,
  ListDeadLetterSourceQueuesCommandInput,
  ListDeadLetterSourceQueuesResult,
  ListQueueTagsCommandInput,
  ListQueueTagsResult,
  SetQueueAttributesCommandInput,
  TagQueueCommandInput,
  UntagQueueCommandInput,
} from '@aws-sdk/client-sqs';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Queue } from '../queue.ts';
import { changeSettings, type QueueSettings, redriveInvalid } from '../queue-attributes.ts';
import type { Queues } from '../queues.ts';

/** @throws AwsError InvalidParameterValue when the dead-letter queue of these settings does not exist */
export function checkRedrive(queues: Queues, { redrive }: QueueSettings): void {
  if (redrive && !queues.findByArn(redrive.deadLetterTargetArn)) {
    throw redriveInvalid('Dead letter target does not exist');
  }
}

/** GetQueueAttributes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
export function getQueueAttributes(queues: Queues): AnyOperation {
  return operation<GetQueueAttributesCommandInput, GetQueueAttributesResult>({
    permissions: (input) => [queues.permission('GetQueueAttributes', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const all = allAttributes(queues.getByUrl(input.QueueUrl));
      const wanted = new Set<string>(input.AttributeNames ?? []);
      if (wanted.has('All')) return { Attributes: all };
      const selected = Object.entries(all).filter(([name]) => wanted.has(name));
      return selected.length > 0 ? { Attributes: Object.fromEntries(selected) } : {};
    },
  });
}

function allAttributes(queue: Queue): Record<string, string> {
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(queue.visibleCount),
    ApproximateNumberOfMessagesNotVisible: String(queue.inFlightCount),
    ApproximateNumberOfMessagesDelayed: String(queue.delayedCount),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.lastModifiedAt / 1000)),
    ...Object.fromEntries(queue.settings.texts),
  };
}

export function setQueueAttributes(queues: Queues): AnyOperation {
  return operation<SetQueueAttributesCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('SetQueueAttributes', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const queue = queues.getByUrl(input.QueueUrl);
      if (!input.Attributes)
        throw new AwsError('MissingParameter', 'The request must contain the parameter Attributes.');
      const settings = changeSettings(queue.settings, input.Attributes);
      checkRedrive(queues, settings);
      queue.settings = settings;
      queue.lastModifiedAt = queues.kernel.clock.now();
      return {};
    },
  });
}

export function listQueueTags(queues: Queues): AnyOperation {
  return operation<ListQueueTagsCommandInput, ListQueueTagsResult>({
    permissions: (input) => [queues.permission('ListQueueTags', queues.getByUrl(input.QueueUrl))],
    run: (input) => ({ Tags: Object.fromEntries(queues.getByUrl(input.QueueUrl).tags) }),
  });
}

export function tagQueue(queues: Queues): AnyOperation {
  return operation<TagQueueCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('TagQueue', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const { tags } = queues.getByUrl(input.QueueUrl);
      for (const [key, value] of Object.entries(input.Tags ?? {})) tags.set(key, value);
      return {};
    },
  });
}

export function untagQueue(queues: Queues): AnyOperation {
  return operation<UntagQueueCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('UntagQueue', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const { tags } = queues.getByUrl(input.QueueUrl);
      for (const key of input.TagKeys ?? []) tags.delete(key);
      return {};
    },
  });
}

export function listDeadLetterSourceQueues(queues: Queues): AnyOperation {
  return operation<ListDeadLetterSourceQueuesCommandInput, ListDeadLetterSourceQueuesResult>({
    permissions: (input) => [queues.permission('ListDeadLetterSourceQueues', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const { arn } = queues.getByUrl(input.QueueUrl);
      const sources = queues.all.filter((each) => each.settings.redrive?.deadLetterTargetArn === arn);
      return { queueUrls: sources.map((each) => queues.urlOf(each)) };
    },
  });
}
