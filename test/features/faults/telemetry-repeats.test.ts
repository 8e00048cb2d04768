/** The telemetry function when its records come again, come at the same time, or cannot be processed. */
import { randomInt } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { historyKey, hourKey, hourOf } from '@thingstead/contracts/telemetry-store';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { passWithoutSweeps } from '../../support/without-sweeps.ts';

/** The start of an hour that lies in the past. */
const HOUR = Math.floor(Date.now() / 3_600_000 - 2) * 3_600_000;
const SENSOR = 'temperature';
const BATCH = 10;
const SUBSETS = 2 ** BATCH;
/** How many subsets of a batch are tried: all with THINGSTEAD_EXHAUSTIVE, else a sample. */
const TRIED = process.env.THINGSTEAD_EXHAUSTIVE ? SUBSETS : 32;
const LIMIT_MS = 300_000;

interface StreamRecord {
  readonly eventID: string;
  readonly kinesis: { readonly sequenceNumber: string; readonly data: string };
}

/** A record as the rule puts it on the stream, in the form in which Lambda hands it over. */
function record(sequence: number, thing: string, messageId: string, shard = 0): StreamRecord {
  const message = {
    pk: historyKey(thing, SENSOR),
    thing,
    sensor: SENSOR,
    receivedAt: HOUR + 120_000,
    messageId,
    id: messageId,
    time: HOUR + 60_000,
    value: 1,
  };
  const sequenceNumber = String(10n ** 55n + BigInt(sequence));
  const data = Buffer.from(JSON.stringify(message)).toString('base64');
  return { eventID: `shardId-${String(shard).padStart(12, '0')}:${sequenceNumber}`, kinesis: { sequenceNumber, data } };
}

describeLocally('a plan of harm', 'the telemetry function', () => {
  let platform: Platform;
  let lambda: LambdaClient;
  let iot: IoTDataPlaneClient;
  let tables: DynamoDBDocumentClient;

  beforeAll(async () => {
    platform = await startPlatform();
    lambda = new LambdaClient(platform.config);
    iot = new IoTDataPlaneClient(platform.config);
    tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
  });
  afterAll(() => platform.stop());

  async function publish(thing: string, id: string, value: number): Promise<void> {
    const payload = Buffer.from(JSON.stringify({ id, value, time: HOUR + 60_000 }));
    await iot.send(new PublishCommand({ topic: `device/${thing}/sensor/${SENSOR}/v1`, qos: 1, payload }));
  }

  /** The sequence numbers that the function wants to see again. */
  async function invoke(Records: readonly StreamRecord[]): Promise<readonly string[]> {
    const Payload = Buffer.from(JSON.stringify({ Records }));
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'thingstead-telemetry', Payload }));
    const { batchItemFailures } = JSON.parse(Buffer.from(answer.Payload ?? []).toString());
    return batchItemFailures.map((each: { readonly itemIdentifier: string }) => each.itemIdentifier);
  }

  /** Damages the roll-up of a thing: no message of its hour can be counted any more. */
  async function damage(thing: string): Promise<void> {
    const Item = { ...hourKey(thing, SENSOR, hourOf(HOUR)), damaged: true };
    await tables.send(new PutCommand({ TableName: TABLE_NAMES.telemetryAggregates, Item }));
  }

  it('counts a message once that the device, the rule and the stream repeat', async () => {
    // GIVEN
    const thing = unique('repeating');
    await platform.faults([
      { at: 'rule-action', match: { action: 'kinesis' }, do: 'duplicate' },
      { at: 'stream-delivery', do: 'duplicate' },
    ]);

    // WHEN: in one batch, and in a later one
    await publish(thing, 'boot-1', 20);
    await publish(thing, 'boot-1', 20);
    await platform.advance(30);
    await publish(thing, 'boot-1', 20);
    await publish(thing, 'boot-2', 30);
    await platform.advance(30);

    // THEN
    const { faults } = await platform.faultReport();
    await platform.faults([]);
    expect(faults).toMatchObject([{ harmed: 4 }, { harmed: 2 }]);
    expect(await platform.hour(thing, SENSOR, HOUR)).toMatchObject({ count: 2, sum: 50 });
    expect(await platform.history(thing, SENSOR)).toHaveLength(2);
  });

  it('counts every message once when batches of several shards with one hour are processed at the same time', async () => {
    const thing = unique('racing');
    const count = 12;
    let waiting = Array.from({ length: count }, (_, n) => [record(n, thing, `boot${n}-1`, n)]);

    // What is reported comes again, as Lambda does it.
    for (let round = 0; waiting.length > 0 && round < count; round += 1) {
      const failures = await Promise.all(waiting.map(invoke));
      waiting = waiting.filter((_, at) => (failures[at] ?? []).length > 0);
    }

    expect(waiting).toEqual([]);
    expect(await platform.hour(thing, SENSOR, HOUR)).toMatchObject({ count, sum: count });
  });

  it(
    'reports the first record of every subset of a batch that fails, and processes the others',
    async () => {
      // GIVEN
      const good = Array.from({ length: BATCH }, (_, n) => unique(`good${n}`));
      const bad = Array.from({ length: BATCH }, (_, n) => unique(`bad${n}`));
      await Promise.all(bad.map(damage));
      const start = randomInt(SUBSETS);
      // An odd step comes to every subset.
      const subsets = Array.from({ length: TRIED }, (_, n) => (start + n * 401) % SUBSETS);
      const fails = (subset: number, n: number): boolean => ((subset >> n) & 1) === 1;

      for (const [run, subset] of subsets.entries()) {
        // WHEN
        const records = good.map((thing, n) =>
          record(run * BATCH + n, (fails(subset, n) ? bad[n] : thing) ?? '', `boot-${run + 1}`),
        );
        const reported = await invoke(records);

        // THEN
        const first = records.find((_, n) => fails(subset, n));
        expect({ subset, reported }).toEqual({ subset, reported: first ? [first.kinesis.sequenceNumber] : [] });
      }
      for (const [n, thing] of good.entries()) {
        const count = subsets.filter((subset) => !fails(subset, n)).length;
        expect((await platform.hour(thing, SENSOR, HOUR))?.count ?? 0).toBe(count);
      }
    },
    LIMIT_MS,
  );

  it('gives up what it cannot process, record by record, and counts the others of the batch once', async () => {
    // GIVEN
    const things = Array.from({ length: BATCH }, (_, n) => unique(`streamed${n}`));
    const damaged = things.filter((_, n) => n === 2 || n === 3 || n === 7);
    await Promise.all(damaged.map(damage));
    const before = await platform.messagesIn('thingstead-telemetry-failed');

    // WHEN
    for (const thing of things) await publish(thing, 'boot-1', 1);
    await passWithoutSweeps(platform, 3 * 3600);

    // THEN
    for (const thing of things) {
      const hour = platform.hour(thing, SENSOR, HOUR);
      if (damaged.includes(thing)) await expect(hour).rejects.toThrow('cannot be read');
      else expect(await hour).toMatchObject({ count: 1, sum: 1 });
    }
    expect(await platform.messagesIn('thingstead-telemetry-failed')).toBe(before + damaged.length);
  });
});
