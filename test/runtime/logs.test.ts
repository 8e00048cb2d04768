/** Amazon CloudWatch Logs through the SDK. */
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const logGroupName = '/field/barn';
let runtime: Runtime;
let client: CloudWatchLogsClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new CloudWatchLogsClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName: 'north' }));
});

async function put(messages: readonly string[], logStreamName = 'north', timestamp = Date.now()) {
  const logEvents = messages.map((message, at) => ({ message, timestamp: timestamp + at }));
  return client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
}

async function filter(filterPattern?: string, more: object = {}): Promise<(string | undefined)[]> {
  const { events = [] } = await client.send(new FilterLogEventsCommand({ logGroupName, filterPattern, ...more }));
  return events.map(({ message }) => message);
}

describe('log events', () => {
  it('are found in the order of their time over all streams of a group', async () => {
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName: 'south' }));
    const start = Date.now();
    await put(['second'], 'north', start + 1);
    await put(['first'], 'south', start);

    expect(await filter()).toEqual(['first', 'second']);
    expect(await filter(undefined, { logStreamNames: ['south'] })).toEqual(['first']);
    expect(await filter(undefined, { startTime: start + 1 })).toEqual(['second']);
  });

  it.each([
    ['ERROR', ['ERROR two eggs']],
    ['two eggs', ['ERROR two eggs', 'INFO eggs two']],
    ['"two eggs"', ['ERROR two eggs']],
    ['?ERROR ?WARN', ['ERROR two eggs', 'WARN none']],
    ['-ERROR -WARN', ['INFO eggs two']],
  ])('match the pattern %s', async (pattern, expected) => {
    await put(['ERROR two eggs', 'INFO eggs two', 'WARN none']);

    expect(await filter(pattern)).toEqual(expected);
  });

  it('are read from both ends in pages', async () => {
    await put(['a', 'b', 'c', 'd']);
    const read = async (more: object) => {
      const input = { logGroupName, logStreamName: 'north', limit: 2, ...more };
      const { events = [], ...tokens } = await client.send(new GetLogEventsCommand(input));
      return { messages: events.map(({ message }) => message), ...tokens };
    };

    const newest = await read({});
    const older = await read({ nextToken: newest.nextBackwardToken });
    const oldest = await read({ startFromHead: true });
    const end = await read({ nextToken: newest.nextForwardToken });

    expect([newest, older, oldest, end].map(({ messages }) => messages)).toEqual([
      ['c', 'd'],
      ['a', 'b'],
      ['a', 'b'],
      [],
    ]);
    expect(end.nextForwardToken).toBe(newest.nextForwardToken);
  });

  it('must come in order; those of another time are told', async () => {
    const day = 86_400_000;
    await expect(
      client.send(
        new PutLogEventsCommand({
          logGroupName,
          logStreamName: 'north',
          logEvents: [
            { message: 'b', timestamp: Date.now() },
            { message: 'a', timestamp: Date.now() - 1 },
          ],
        }),
      ),
    ).rejects.toThrow('chronological order');

    const { rejectedLogEventsInfo } = await put(['old'], 'north', Date.now() - 15 * day);
    expect(rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1 });
    expect(await filter()).toEqual([]);
  });

  it('are gone when the retention of the group is over', async () => {
    await put(['a']);
    await client.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));

    await runtime.advance(86_400 + 60);

    expect(await filter()).toEqual([]);
  });
});

describe('groups and streams', () => {
  it('exist once, and are described', async () => {
    await put(['a']);

    await expect(client.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toBeInstanceOf(
      ResourceAlreadyExistsException,
    );
    const { logGroups } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/field' }));
    expect(logGroups).toMatchObject([{ logGroupName, arn: expect.stringMatching(/:log-group:\/field\/barn:\*$/) }]);
    const { logStreams } = await client.send(new DescribeLogStreamsCommand({ logGroupName }));
    expect(logStreams).toMatchObject([{ logStreamName: 'north', lastEventTimestamp: expect.any(Number) }]);
  });

  it('that do not exist are told apart', async () => {
    await expect(put(['a'], 'west')).rejects.toThrow('The specified log stream does not exist.');
    await expect(filter('a', { logGroupName: 'none' })).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('refuse a retention and a pattern that AWS or this machine does not have', async () => {
    const command = new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 2 });

    await expect(client.send(command)).rejects.toThrow('retentionInDays is 2');
    await expect(filter('{ $.level = "x" }')).rejects.toMatchObject({ name: 'NotEmulated' });
  });
});
