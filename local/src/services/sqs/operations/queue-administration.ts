import type {
  CreateQueueCommandInput,
  CreateQueueResult,
  DeleteQueueCommandInput,
  GetQueueUrlCommandInput,
  GetQueueUrlResult,
  ListQueuesCommandInput,
  ListQueuesResult,
  PurgeQueueCommandInput,
} from '@aws-sdk/client-sqs';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter, queueDoesNotExist } from '../errors.ts';
import { changeSettings, DEFAULT_SETTINGS, fifoNotEmulated } from '../queue-attributes.ts';
import type { Queues } from '../queues.ts';
import { checkRedrive } from './queue-attributes.ts';

/** CreateQueue: the same name with the same attributes gives the queue that exists. */
export function createQueue(queues: Queues): AnyOperation {
  return operation<CreateQueueCommandInput, CreateQueueResult>({
    permissions: ({ QueueName, tags = {} }) =>
      ['CreateQueue', ...(Object.keys(tags).length > 0 ? ['TagQueue'] : [])].map((action) => {
        return { action: `sqs:${action}`, resource: queues.kernel.arn('sqs', String(QueueName)) };
      }),
    run(input) {
      const name = input.QueueName ?? '';
      if (name.endsWith('.fifo')) throw fifoNotEmulated();
      if (!/^[\w-]{1,80}$/.test(name)) {
        throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.');
      }
      const given = input.Attributes ?? {};
      const settings = changeSettings(DEFAULT_SETTINGS, given);
      const existing = queues.findByName(name);
      const changed = Object.keys(given).find(
        (each) => existing && existing.settings.texts.get(each) !== settings.texts.get(each),
      );
      if (changed !== undefined) {
        throw new AwsError(
          'QueueNameExists',
          `A queue already exists with the same name and a different value for attribute ${changed}`,
        );
      }
      if (existing) return { QueueUrl: queues.urlOf(existing) };
      checkRedrive(queues, settings);
      const queue = queues.create(name, settings);
      for (const [key, value] of Object.entries(input.tags ?? {})) queue.tags.set(key, value);
      return { QueueUrl: queues.urlOf(queue) };
    },
  });
}

export function getQueueUrl(queues: Queues): AnyOperation {
  return operation<GetQueueUrlCommandInput, GetQueueUrlResult>({
    permissions: (input) => {
      const queue = queues.findByName(input.QueueName ?? '');
      if (!queue) throw queueDoesNotExist();
      return [queues.permission('GetQueueUrl', queue)];
    },
    run: (input) => {
      const queue = queues.findByName(input.QueueName ?? '');
      if (!queue) throw queueDoesNotExist();
      return { QueueUrl: queues.urlOf(queue) };
    },
  });
}

/** ListQueues, by prefix and in pages. The token is the name of the last queue given. */
export function listQueues(queues: Queues): AnyOperation {
  return operation<ListQueuesCommandInput, ListQueuesResult>({
    permissions: () => [{ action: 'sqs:ListQueues', resource: queues.kernel.arn('sqs', '*') }],
    run(input) {
      const max = input.MaxResults ?? 1000;
      const after = input.NextToken ?? '';
      const matching = queues.all
        .filter(({ name }) => name.startsWith(input.QueueNamePrefix ?? '') && name > after)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const page = matching.slice(0, max);
      return {
        ...(page.length > 0 && { QueueUrls: page.map((each) => queues.urlOf(each)) }),
        ...(matching.length > max && { NextToken: page.at(-1)?.name }),
      };
    },
  });
}

export function deleteQueue(queues: Queues): AnyOperation {
  return operation<DeleteQueueCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('DeleteQueue', queues.getByUrl(input.QueueUrl))],
    run(input) {
      queues.delete(queues.getByUrl(input.QueueUrl));
      return {};
    },
  });
}

/** PurgeQueue: once per 60 seconds. */
export function purgeQueue(queues: Queues): AnyOperation {
  return operation<PurgeQueueCommandInput, Record<string, never>>({
    permissions: (input) => [queues.permission('PurgeQueue', queues.getByUrl(input.QueueUrl))],
    run(input) {
      const queue = queues.getByUrl(input.QueueUrl);
      if (queues.kernel.clock.now() - queue.lastPurgedAt < 60_000) {
        throw new AwsError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
          403,
        );
      }
      queue.purge();
      return {};
    },
  });
}
