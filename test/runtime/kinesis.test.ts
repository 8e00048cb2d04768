/** Kinesis Data Streams through the SDK, which speaks HTTP/2 to it. */
import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  ListTagsForStreamCommand,
  PutRecordCommand,
  PutRecordsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-kinesis';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const StreamName = 'telemetry';
const SHARD = 'shardId-000000000000';
let runtime: Runtime;
let client: KinesisClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new KinesisClient(runtime.config);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

async function create(input: Partial<CreateStreamCommandInput> = { ShardCount: 1 }): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName, ...input }));
}

async function put(text: string, PartitionKey = 'device'): Promise<{ shard: string; number: string }> {
  const { ShardId, SequenceNumber } = await client.send(
    new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from(text) }),
  );
  return { shard: ShardId ?? '', number: SequenceNumber ?? '' };
}

async function iterator(input: Partial<GetShardIteratorCommandInput>): Promise<string | undefined> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName, ShardId: SHARD, ShardIteratorType: 'TRIM_HORIZON', ...input }),
  );
  return ShardIterator;
}

async function read(input: Partial<GetShardIteratorCommandInput> = {}): Promise<string[]> {
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator: await iterator(input) }));
  return Records.map(({ Data }) => Buffer.from(Data ?? []).toString());
}

describe('a stream', () => {
  it('splits the hash keys evenly over its shards', async () => {
    await create({ ShardCount: 3 });

    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));

    const ranges = Shards.map(({ HashKeyRange }) => [HashKeyRange?.StartingHashKey, HashKeyRange?.EndingHashKey]);
    expect(ranges[0]?.[0]).toBe('0');
    expect(ranges[2]?.[1]).toBe('340282366920938463463374607431768211455');
    expect(BigInt(ranges[1]?.[0] ?? 0)).toBe(BigInt(ranges[0]?.[1] ?? 0) + 1n);
    expect(Shards.map(({ ShardId }) => ShardId)).toEqual([SHARD, 'shardId-000000000001', 'shardId-000000000002']);
  });

  it('has four shards on demand, and is described by name and by ARN', async () => {
    // GIVEN
    await create({ StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
    await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { stage: 'test' } }));

    // WHEN
    const { StreamDescriptionSummary: summary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamARN: summary?.StreamARN }));
    const { Tags } = await client.send(new ListTagsForStreamCommand({ StreamName }));

    // THEN
    expect(summary).toMatchObject({ StreamStatus: 'ACTIVE', OpenShardCount: 4, RetentionPeriodHours: 24 });
    expect(StreamDescription?.Shards).toHaveLength(4);
    expect(Tags).toEqual([{ Key: 'stage', Value: 'test' }]);
  });

  it('is gone after it was deleted', async () => {
    await create();
    await client.send(new DeleteStreamCommand({ StreamName }));

    expect((await client.send(new ListStreamsCommand({}))).StreamNames).toEqual([]);
    await expect(put('x')).rejects.toThrow(ResourceNotFoundException);
  });
});

describe('records', () => {
  it('keep their order, with growing sequence numbers of 56 digits', async () => {
    await create();

    const numbers: string[] = [];
    for (const text of ['1', '2', '3']) numbers.push((await put(text)).number);

    expect(await read()).toEqual(['1', '2', '3']);
    expect(numbers).toEqual(numbers.toSorted());
    for (const number of numbers) expect(number).toMatch(/^\d{56}$/);
  });

  it('go to the shard of their partition key, or of the hash key that is given', async () => {
    await create({ ShardCount: 2 });

    // MD5 of "a" is 0cc1..., of "b" is 92eb...: the lower and the upper half.
    const shards = [(await put('x', 'a')).shard, (await put('x', 'b')).shard];
    const { ShardId } = await client.send(
      new PutRecordCommand({ StreamName, PartitionKey: 'b', ExplicitHashKey: '0', Data: Buffer.from('x') }),
    );

    expect([...shards, ShardId]).toEqual([SHARD, 'shardId-000000000001', SHARD]);
  });

  it('are read from any position', async () => {
    // GIVEN
    await create();
    await put('1');
    const { number } = await put('2');
    await runtime.advance(60);
    const Timestamp = new Date(Date.now() + 30_000);
    await put('3');
    const latest = await iterator({ ShardIteratorType: 'LATEST' });
    await put('4');

    // WHEN
    const at = await read({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: number });
    const after = await read({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: number });
    const since = await read({ ShardIteratorType: 'AT_TIMESTAMP', Timestamp });
    const { Records } = await client.send(new GetRecordsCommand({ ShardIterator: latest }));

    // THEN
    expect(at).toEqual(['2', '3', '4']);
    expect(after).toEqual(['3', '4']);
    expect(since).toEqual(['3', '4']);
    expect(Records).toHaveLength(1);
  });

  it('are read in pages, which tell how far behind they are', async () => {
    // GIVEN
    await create();
    await put('1');
    await runtime.advance(10);
    await put('2');

    // WHEN
    const first = await client.send(new GetRecordsCommand({ ShardIterator: await iterator({}), Limit: 1 }));
    const second = await client.send(new GetRecordsCommand({ ShardIterator: first.NextShardIterator }));
    const third = await client.send(new GetRecordsCommand({ ShardIterator: second.NextShardIterator }));

    // THEN
    expect(first.MillisBehindLatest).toBeGreaterThanOrEqual(10_000);
    expect([second.Records?.length, second.MillisBehindLatest]).toEqual([1, 0]);
    expect(third.Records).toEqual([]);
  });

  it('are kept for the retention period and no longer', async () => {
    await create();
    await client.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 48 }));
    await put('old');
    await runtime.advance(30 * 3600);
    await put('new');

    expect(await read()).toEqual(['old', 'new']);
    await client.send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 24 }));
    expect(await read()).toEqual(['new']);
  });

  it('are refused beyond 1 MiB or 500 at once', async () => {
    await create();
    const record = { PartitionKey: 'p', Data: Buffer.from('x') };

    await expect(put('x'.repeat(1024 * 1024))).rejects.toThrow('exceeds the maximum record size of 1024 KiB');
    await expect(
      client.send(new PutRecordsCommand({ StreamName, Records: Array.from({ length: 501 }, () => record) })),
    ).rejects.toThrow('less than or equal to 500');
    const { FailedRecordCount, Records } = await client.send(
      new PutRecordsCommand({ StreamName, Records: Array.from({ length: 500 }, () => record) }),
    );
    expect([FailedRecordCount, Records?.length]).toEqual([0, 500]);
  });
});

describe('an iterator', () => {
  it('expires after five minutes', async () => {
    await create();
    const ShardIterator = await iterator({});

    await runtime.advance(301);

    await expect(client.send(new GetRecordsCommand({ ShardIterator }))).rejects.toThrow(ExpiredIteratorException);
  });

  it('is not just any text', async () => {
    await create();

    await expect(client.send(new GetRecordsCommand({ ShardIterator: 'AAAA' }))).rejects.toThrow(
      'Invalid ShardIterator',
    );
  });
});
