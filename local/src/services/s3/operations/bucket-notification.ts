import { randomUUID } from 'node:crypto';
import type {
  GetBucketNotificationConfigurationCommandInput,
  NotificationConfiguration,
  NotificationConfigurationFilter,
  PutBucketNotificationConfigurationCommandInput,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Buckets } from '../buckets.ts';
import { checkDestination, validateDestinations } from '../notifications/deliver.ts';
import { checkEvents, checkOverlaps, type Notification, readKeyFilter } from '../notifications/notification.ts';

interface Configured {
  readonly Id?: string | undefined;
  readonly Events?: readonly string[] | undefined;
  readonly Filter?: NotificationConfigurationFilter | undefined;
}

function read(kind: Notification['kind'], arn: string | undefined, { Id, Events, Filter }: Configured): Notification {
  return { kind, id: Id ?? randomUUID(), arn: arn ?? '', events: checkEvents(Events), ...readKeyFilter(Filter?.Key) };
}

function readAll(configuration: NotificationConfiguration): readonly Notification[] {
  const { QueueConfigurations = [], TopicConfigurations = [], LambdaFunctionConfigurations = [] } = configuration;
  return [
    ...TopicConfigurations.map((each) => read('topic', each.TopicArn, each)),
    ...QueueConfigurations.map((each) => read('queue', each.QueueArn, each)),
    ...LambdaFunctionConfigurations.map((each) => read('function', each.LambdaFunctionArn, each)),
  ];
}

const KNOWN = new Set([
  'EventBridgeConfiguration',
  'LambdaFunctionConfigurations',
  'QueueConfigurations',
  'TopicConfigurations',
]);

/**
 * PutBucketNotificationConfiguration, which replaces the whole configuration.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
 */
export function putBucketNotificationConfiguration(buckets: Buckets): AnyOperation {
  return operation<PutBucketNotificationConfigurationCommandInput, object>({
    permissions: ({ Bucket }) => [buckets.permission('PutBucketNotification', Bucket)],
    async run({ Bucket, NotificationConfiguration: wanted = {}, SkipDestinationValidation }, context) {
      const bucket = buckets.get(Bucket);
      const unknown = Object.keys(wanted).find((name) => !KNOWN.has(name));
      if (unknown !== undefined) throw notEmulated('s3', `PutBucketNotificationConfiguration with ${unknown}`);
      const notifications = readAll(wanted);
      for (const each of notifications) checkDestination(buckets.kernel, each);
      checkOverlaps(notifications);
      // Text on the wire, where it is a header.
      if (String(SkipDestinationValidation ?? false) !== 'true') {
        await validateDestinations(buckets.kernel, bucket, notifications, context);
      }
      bucket.settings.notifications = notifications;
      bucket.settings.notifiesEventBridge = wanted.EventBridgeConfiguration !== undefined;
      return {};
    },
  });
}

function describe({ id: Id, events, prefix, suffix }: Notification) {
  const FilterRules = [
    ...(prefix === '' ? [] : [{ Name: 'Prefix', Value: prefix }]),
    ...(suffix === '' ? [] : [{ Name: 'Suffix', Value: suffix }]),
  ];
  return { Id, Events: [...events], ...(FilterRules.length > 0 && { Filter: { Key: { FilterRules } } }) };
}

/** GetBucketNotificationConfiguration. Members without a value are missing, as S3 answers. */
export function getBucketNotificationConfiguration(buckets: Buckets): AnyOperation {
  return operation<GetBucketNotificationConfigurationCommandInput, object>({
    permissions: ({ Bucket }) => [buckets.permission('GetBucketNotification', Bucket)],
    run({ Bucket }) {
      const { notifications, notifiesEventBridge } = buckets.get(Bucket).settings;
      const of = (kind: Notification['kind']) => notifications.filter((each) => each.kind === kind);
      const topics = of('topic').map((each) => ({ ...describe(each), TopicArn: each.arn }));
      const queues = of('queue').map((each) => ({ ...describe(each), QueueArn: each.arn }));
      const functions = of('function').map((each) => ({ ...describe(each), LambdaFunctionArn: each.arn }));
      return {
        ...(topics.length > 0 && { TopicConfigurations: topics }),
        ...(queues.length > 0 && { QueueConfigurations: queues }),
        ...(functions.length > 0 && { LambdaFunctionConfigurations: functions }),
        ...(notifiesEventBridge && { EventBridgeConfiguration: {} }),
      };
    },
  });
}
