/** What is counted and what it costs, against figures that AWS's own pages work out. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  FIREHOSE_RECORD_BYTES,
  IOT_MESSAGE_BYTES,
  IOT_OPERATION_BYTES,
  increments,
  KINESIS_PUT_BYTES,
  KINESIS_RECORD_BYTES,
  roundedUp,
} from '../../local/src/meter/increments.ts';
import { DEVICES, Meter } from '../../local/src/meter/meter.ts';
import { countCallOf } from '../../local/src/meter/metered-operations.ts';
import { cost, PRICES, type Price } from '../../local/src/meter/prices.ts';
import { meterReport } from '../../local/src/meter/report.ts';
import { readUnits, writeUnits } from '../../local/src/services/dynamodb/capacity.ts';

const KB = 1024;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

class Clock {
  now = Date.parse('2026-11-21T12:00:00Z');
  readonly meter = new Meter(() => this.now);
}

function within1Percent(actual: number, expected: number): void {
  expect(Math.abs(actual - expected) / expected).toBeLessThan(0.01);
}

function usdByItem(meter: Meter): Record<string, number> {
  const usd: Record<string, number> = {};
  for (const line of meterReport(meter).services) usd[line.item] = (usd[line.item] ?? 0) + line.usd;
  return usd;
}

describe("AWS's worked examples", () => {
  // https://aws.amazon.com/iot-core/pricing, "Pricing examples"
  it('AWS IoT Core: 100 000 devices, 325 messages of 1 KB a day, 100 shadow updates, 200 rules with one action', () => {
    // GIVEN a day of one device, a hundred thousand times thirty times
    const clock = new Clock();
    const deviceDays = 100_000 * 30;
    const connections = clock.meter.start('iotConnection', DEVICES, 100_000);

    // WHEN
    clock.meter.add('iotMessage', 'PUBLISH received', deviceDays * 325 * increments(KB, IOT_MESSAGE_BYTES));
    clock.meter.add('iotOperation', 'UpdateThingShadow', deviceDays * 100 * increments(KB, KB));
    clock.meter.add('iotRule', 'rule', deviceDays * 200 * increments(KB, IOT_MESSAGE_BYTES));
    clock.meter.add('iotAction', 'rule', deviceDays * 200 * increments(KB, IOT_MESSAGE_BYTES));
    clock.now += 30 * DAY_MS;
    connections.stop();

    // THEN
    const usd = usdByItem(clock.meter);
    within1Percent(usd.connectivity ?? 0, 345.6);
    within1Percent(usd.messaging ?? 0, 975);
    within1Percent(usd['device shadow and registry'] ?? 0, 375);
    within1Percent((usd['rules triggered'] ?? 0) + (usd['rule actions'] ?? 0), 180);
    within1Percent(meterReport(clock.meter).totalUsd, 1875.6);
  });

  // https://aws.amazon.com/kinesis/data-streams/pricing, "Pricing example", provisioned
  it('Kinesis, provisioned: 100 records of 35 KB a second in four shards for 31 days', () => {
    // GIVEN
    const clock = new Clock();
    clock.meter.start('kinesisShard', 'stream', 4);

    // WHEN
    const records = 100 * 86_400 * 31;
    clock.meter.add('kinesisPut', 'stream', records * increments(35 * KB, KINESIS_PUT_BYTES));
    clock.now += 31 * DAY_MS;

    // THEN
    const usd = usdByItem(clock.meter);
    within1Percent(usd['provisioned shards'] ?? 0, 44.64);
    within1Percent(usd['provisioned PUT payload'] ?? 0, 7.5);
  });

  it('Kinesis: a 5 KB record is one PUT payload unit, 45 KB are two, 1 000 KB are forty; 4.5 KB on demand are 5 KB', () => {
    expect([5, 45, 1000].map((kb) => increments(kb * KB, KINESIS_PUT_BYTES))).toEqual([1, 2, 40]);
    expect(roundedUp(4.5 * KB, KINESIS_RECORD_BYTES)).toBe(5 * KB);
  });

  // https://aws.amazon.com/firehose/pricing, "Pricing example"
  it('Firehose: records of 3 KB are charged as 5 KB, of 12 KB as 15 KB; 100 of 3 KB a second cost 35.84 USD a month', () => {
    expect(roundedUp(3 * KB, FIREHOSE_RECORD_BYTES)).toBe(5 * KB);
    expect(roundedUp(12 * KB, FIREHOSE_RECORD_BYTES)).toBe(15 * KB);
    within1Percent(cost('firehoseIn', 100 * 86_400 * 30 * roundedUp(3 * KB, FIREHOSE_RECORD_BYTES)), 35.84);
  });

  it('AWS IoT Core: a device that is connected all year costs 0.042 USD', () => {
    within1Percent(cost('iotConnection', 525_600), 0.042);
  });

  // https://aws.amazon.com/iot-core/pricing, "AWS Free Tier": the workload that it says its allowances are for.
  it('AWS IoT Core: 50 devices that are always connected, 300 messages, 130 operations and 150 rules a day', () => {
    // GIVEN
    const clock = new Clock();
    const deviceDays = 50 * 30;
    clock.meter.start('iotConnection', DEVICES, 50);

    // WHEN
    clock.meter.add('iotMessage', 'PUBLISH received', deviceDays * 300 * increments(5 * KB, IOT_MESSAGE_BYTES));
    clock.meter.add('iotOperation', 'UpdateThingShadow', deviceDays * 130 * increments(KB, IOT_OPERATION_BYTES));
    clock.meter.add('iotRule', 'rule', deviceDays * 150);
    clock.meter.add('iotAction', 'rule', deviceDays * 150);
    clock.now += 30 * DAY_MS;

    // THEN the workload fits into the allowances: 2 250 000 minutes, 500 000 messages, 225 000 operations, 250 000 rules
    const quantity = (item: string) => clock.meter.uses.find((use) => use.item === item)?.quantity;
    expect(quantity('iotConnection')).toBe(2_160_000);
    expect(quantity('iotMessage')).toBe(450_000);
    expect(quantity('iotOperation')).toBe(195_000);
    expect(quantity('iotRule')).toBe(225_000);
  });

  // https://aws.amazon.com/lambda/pricing, "Example 1" of the page with 512 MB; before its free tier is taken off:
  // 1 100 000 GB-seconds and 2 000 000 requests are charged, 18.34 and 0.40 USD.
  it('Lambda, x86: 512 MB, one second, three million times a month', () => {
    const seconds = 3_000_000;
    expect((seconds * 512) / 1024).toBe(1_500_000);
    within1Percent(cost('lambdaX86', 1_500_000 - 400_000), 18.34);
    within1Percent(cost('lambdaRequest', 3_000_000 - 1_000_000), 0.4);
  });

  // https://aws.amazon.com/kms/pricing, "Key storage": 1 USD a month, prorated hourly; requests as its table has them.
  it('KMS: a key costs a dollar a month, by the hour; a million requests cost 3 USD', () => {
    const clock = new Clock();
    clock.meter.start('kmsKey', 'keys');
    clock.now += 30 * DAY_MS;
    within1Percent(usdByItem(clock.meter).keys ?? 0, 1);
    within1Percent(cost('kmsRequest', 1_000_000), 3);
    within1Percent(cost('kmsAsymmetric', 1_000_000), 15);
  });

  // https://aws.amazon.com/s3/faqs, "How will I be charged and billed for my use of Amazon S3?", request example
  it('S3: 10 000 files in and 20 000 out each day of March', () => {
    within1Percent(cost('s3Write', 10_000 * 31), 1.55);
    within1Percent(cost('s3Read', 20_000 * 31), 0.25);
  });

  // https://aws.amazon.com/dynamodb/pricing/on-demand, "Key terms"; the prices are those of its table
  it('DynamoDB: reads of 8 KB and writes of 3 KB, in each way that there is', () => {
    expect(readUnits(8 * KB, true, false)).toBe(2);
    expect(readUnits(8 * KB, false, false)).toBe(1);
    expect(readUnits(8 * KB, true, true)).toBe(4);
    const item = (kb: number) => ({ pk: { S: 'x'.repeat(kb * KB - 'pk'.length) } });
    expect(writeUnits(undefined, item(1))).toBe(1);
    expect(writeUnits(undefined, item(3))).toBe(3);
    expect(writeUnits(undefined, item(3), true)).toBe(6);
    within1Percent(cost('dynamodbWrite', 1_000_000) + cost('dynamodbRead', 1_000_000), 0.75);
  });

  // https://aws.amazon.com/sqs/pricing and https://aws.amazon.com/sns/pricing: "a single API call with a 256 KB payload is
  // billed as four requests"
  it('SQS and SNS: a payload of 256 KB is four requests', () => {
    const payload = 'x'.repeat(256 * KB);
    const { meter } = new Clock();
    countCallOf('sqs', 'SendMessage')?.(meter, { QueueUrl: 'queue', MessageBody: payload }, {});
    countCallOf('sns', 'Publish')?.(meter, { TopicArn: 'topic', Message: payload }, {});
    expect(meter.uses.map(({ quantity }) => quantity)).toEqual([4, 4]);
  });
});

describe('what costs by time', () => {
  it('follows virtual time and charges a minute or an hour that has begun', () => {
    // GIVEN
    const clock = new Clock();
    const connection = clock.meter.start('iotConnection', DEVICES);
    clock.meter.start('kinesisShard', 'stream', 2);

    // WHEN
    clock.now += 90_000;
    connection.stop();
    connection.stop();
    clock.now += HOUR_MS;

    // THEN
    expect(clock.meter.uses).toEqual([
      { item: 'iotConnection', resource: 'devices', quantity: 2 },
      { item: 'kinesisShard', resource: 'stream', quantity: 4 },
    ]);
    expect(clock.meter.deviceMinutes).toBe(1.5);
  });

  it('stops with what it is for', () => {
    const clock = new Clock();
    const alarm = clock.meter.start('cloudwatchAlarm', 'alarms');
    alarm.stop();
    clock.now += 10 * HOUR_MS;

    expect(clock.meter.uses).toEqual([{ item: 'cloudwatchAlarm', resource: 'alarms', quantity: 1 }]);
    expect(clock.meter.standing).toEqual([]);
  });
});

describe('the device-month', () => {
  it('scales what costs by use to a month of connection and shares what is fixed among the fleet', () => {
    // GIVEN two devices that are connected for a day and send 100 messages each; one shard
    const clock = new Clock();
    clock.meter.start('kinesisShard', 'stream');
    const connections = [clock.meter.start('iotConnection', DEVICES), clock.meter.start('iotConnection', DEVICES)];
    clock.meter.add('iotMessage', 'PUBLISH received', 200);
    clock.now += DAY_MS;
    for (const each of connections) each.stop();

    // WHEN
    const { deviceMonth, deviceMonthUsd } = meterReport(clock.meter, 1000);

    // THEN
    expect(deviceMonth.deviceMinutes).toBe(2880);
    expect(deviceMonth.usageUsd).toBeCloseTo((43_200 * 0.08 + 3000 * 1) / 1e6, 12);
    expect(deviceMonth.fixedUsd).toBeCloseTo(10.8, 10);
    expect(deviceMonthUsd).toBeCloseTo(deviceMonth.usageUsd + 10.8 / 1000, 12);
  });

  it('is unknown when no device was connected; applications with SigV4 are none', () => {
    const clock = new Clock();
    clock.meter.start('iotConnection', 'clients with SigV4');
    clock.now += DAY_MS;

    expect(meterReport(clock.meter).deviceMonthUsd).toBeNull();
  });
});

describe('operations that the dispatch counts', () => {
  function count(service: string, operation: string, input: unknown, output: unknown = {}) {
    const { meter } = new Clock();
    countCallOf(service, operation)?.(meter, input, output);
    return meter.uses.map(({ item, resource, quantity }) => [item, resource, quantity]);
  }

  it('SQS by 64 KB, of what is sent and of what is received, a batch as one request', () => {
    const QueueUrl = 'http://127.0.0.1:4566/123456789012/errors';
    const text = (kb: number) => 'x'.repeat(kb * KB);
    expect(count('sqs', 'SendMessage', { QueueUrl, MessageBody: text(65) })).toEqual([['sqsRequest', 'errors', 2]]);
    const Entries = [{ MessageBody: text(60) }, { MessageBody: text(60) }, { MessageBody: text(8) }];
    expect(count('sqs', 'SendMessageBatch', { QueueUrl, Entries })).toEqual([['sqsRequest', 'errors', 2]]);
    const Messages = [{ Body: text(100) }];
    expect(count('sqs', 'ReceiveMessage', { QueueUrl }, { Messages })).toEqual([['sqsRequest', 'errors', 2]]);
    expect(count('sqs', 'ReceiveMessage', { QueueUrl })).toEqual([['sqsRequest', 'errors', 1]]);
  });

  it('the registry only where its price list names the operation', () => {
    expect(count('iot', 'DescribeThing', { thingName: 'a' })).toEqual([['iotOperation', 'DescribeThing', 1]]);
    expect(countCallOf('iot', 'DeleteThing')).toBeUndefined();
    expect(countCallOf('iot', 'DescribeCertificate')).toBeUndefined();
  });

  it('S3 by the price of the request; deletes cost nothing', () => {
    expect(count('s3', 'PutObject', { Bucket: 'archive' })).toEqual([['s3Write', 'archive', 1]]);
    expect(count('s3', 'GetObject', { Bucket: 'archive' })).toEqual([['s3Read', 'archive', 1]]);
    expect(countCallOf('s3', 'DeleteObject')).toBeUndefined();
  });

  it('S3: each part of an upload is a request, and so are its begin and its end', () => {
    for (const name of ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'ListParts'])
      expect(count('s3', name, { Bucket: 'files' })).toEqual([['s3Write', 'files', 1]]);
    expect(countCallOf('s3', 'AbortMultipartUpload')).toBeUndefined();
  });

  it('KMS by key; signatures at the price of asymmetric keys, except those of RSA 2048', () => {
    const KeyId = 'arn:aws:kms:us-east-1:123456789012:key/one';
    const ofEcdsa = { SigningAlgorithm: 'ECDSA_SHA_256', KeyId };
    const ofRsa = { SigningAlgorithm: 'RSASSA_PSS_SHA_256', KeyId };
    expect(count('kms', 'GenerateDataKey', { KeyId })).toEqual([['kmsRequest', 'one', 1]]);
    expect(count('kms', 'Decrypt', {}, { KeyId })).toEqual([['kmsRequest', 'one', 1]]);
    expect(count('kms', 'AuthorizeUse', { keyId: KeyId })).toEqual([['kmsRequest', 'one', 1]]);
    expect(count('kms', 'Sign', ofEcdsa, { Signature: Buffer.alloc(71) })).toEqual([['kmsAsymmetric', 'one', 1]]);
    expect(count('kms', 'Sign', ofRsa, { Signature: Buffer.alloc(256) })).toEqual([['kmsRequest', 'one', 1]]);
    expect(count('kms', 'Verify', { ...ofRsa, Signature: Buffer.alloc(384) })).toEqual([['kmsAsymmetric', 'one', 1]]);
    expect(count('kms', 'GetPublicKey', { KeyId }, { KeySpec: 'RSA_2048' })).toEqual([['kmsRequest', 'one', 1]]);
    expect(countCallOf('kms', 'CreateAlias')).toBeUndefined();
  });

  it('custom events by 64 KB, and each metric that GetMetricData asks for', () => {
    const Entries = [{ Detail: 'x'.repeat(65 * KB) }, { Detail: '{}', EventBusName: 'farm' }];
    expect(count('events', 'PutEvents', { Entries })).toEqual([
      ['eventBridgeEvent', 'default', 2],
      ['eventBridgeEvent', 'farm', 1],
    ]);
    expect(count('cloudwatch', 'GetMetricData', { MetricDataQueries: [{}, {}] })).toEqual([
      ['cloudwatchRequest', 'GetMetricData', 2],
    ]);
  });

  it('logs with the overhead of each event', () => {
    const logEvents = [{ message: 'one' }, { message: 'zwölf' }];
    expect(count('logs', 'PutLogEvents', { logGroupName: '/aws/lambda/f', logEvents })).toEqual([
      ['logsIn', '/aws/lambda/f', 3 + 6 + 2 * 26],
    ]);
  });

  it('not what is no name of an operation', () => {
    expect(countCallOf('constructor', 'toString')).toBeUndefined();
    expect(countCallOf('sqs', 'toString')).toBeUndefined();
  });
});

describe('docs/cost.md', () => {
  const page = readFileSync(path.resolve(__dirname, '../../docs/cost.md'), 'utf8');
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));

  it.each(Object.values(PRICES))('has the price of $service, $item', ({ service, item, usd, unit }: Price) => {
    const row = rows.find(([, itsService, itsItem]) => itsService === service && itsItem === item);
    const hours = /^(alarm|metric|key|secret)-hour$/.test(unit) ? 720 : 1;
    expect(Number.parseFloat(row?.[3] ?? '')).toBeCloseTo(usd * hours, 12);
  });
});
