/** The notification configuration of a bucket: its XML has other names than the API of the SDKs. */

type Members = Readonly<Record<string, unknown>>;

/** By the element of the XML: the member of the API, and both names of the destination. */
const KINDS = [
  ['TopicConfiguration', 'TopicConfigurations', 'Topic', 'TopicArn'],
  ['QueueConfiguration', 'QueueConfigurations', 'Queue', 'QueueArn'],
  ['CloudFunctionConfiguration', 'LambdaFunctionConfigurations', 'CloudFunction', 'LambdaFunctionArn'],
] as const;

function entries(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value : [];
}

/** An element; an empty one is text. */
function inside(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The parsed content of `<NotificationConfiguration>` as the API has it; other elements stay as they are. */
export function notificationFromXml(content: Members): Members {
  const configuration: Record<string, unknown> = { ...content };
  for (const [element, member, short, arn] of KINDS) {
    if (content[element] === undefined) continue;
    delete configuration[element];
    configuration[member] = entries(content[element]).map((each) => {
      const { Event, Filter, [short]: destination, ...rest } = each;
      const FilterRules = inside(inside(Filter, 'S3Key'), 'FilterRule');
      return {
        ...rest,
        [arn]: destination,
        Events: Event,
        ...(FilterRules !== undefined && { Filter: { Key: { FilterRules } } }),
      };
    });
  }
  return configuration;
}

/** The answer of GetBucketNotificationConfiguration as the content of its document. */
export function notificationToXml(configuration: Members): Members {
  const content: Record<string, unknown> = {};
  for (const [element, member, short, arn] of KINDS) {
    const list = entries(configuration[member]).map(({ Id, Events, Filter, [arn]: destination }) => ({
      Id,
      [short]: destination,
      Event: Events,
      ...(Filter !== undefined && {
        Filter: { S3Key: { FilterRule: inside(inside(Filter, 'Key'), 'FilterRules') } },
      }),
    }));
    if (list.length > 0) content[element] = list;
  }
  if (configuration.EventBridgeConfiguration !== undefined) content.EventBridgeConfiguration = {};
  return content;
}
