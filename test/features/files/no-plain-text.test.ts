/** What is in files, and the keys to them, is nowhere but where they come from and go to. */
import { randomBytes } from 'node:crypto';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListBucketsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { ListQueuesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { SecretSearch } from '../../support/secrets/search.ts';
import { describeLocally } from '../../support/target.ts';
import { filesPlatform, newTransfer } from './files-platform.ts';

describeLocally('a look into everything', 'what is in files', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof filesPlatform>>;
  let mary: Person;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await filesPlatform(platform);
    mary = await newPerson(platform);
  });
  afterAll(() => platform.stop());

  async function everything(): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    const logs = new CloudWatchLogsClient(platform.config);
    for (const { logGroupName } of (await logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? []) {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
      found[`log ${logGroupName}`] = events.map(({ message }) => message).join('\n');
    }
    for (const { Name: Bucket } of (await on.s3.send(new ListBucketsCommand({}))).Buckets ?? []) {
      for await (const { Contents = [] } of paginateListObjectsV2({ client: on.s3 }, { Bucket })) {
        for (const { Key } of Contents) {
          const { Body } = await on.s3.send(new GetObjectCommand({ Bucket, Key }));
          found[`object ${Key}`] = Buffer.from((await Body?.transformToByteArray()) ?? []).toString('latin1');
        }
      }
    }
    const tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
    for (const TableName of Object.values(TABLE_NAMES)) {
      for await (const { Items = [] } of paginateScan({ client: tables }, { TableName })) {
        found[`table ${TableName}`] = `${found[`table ${TableName}`] ?? ''}${JSON.stringify(Items)}`;
      }
    }
    const sqs = new SQSClient(platform.config);
    for (const QueueUrl of (await sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      found[`queue ${QueueUrl}`] = JSON.stringify(Messages);
    }
    return found;
  }

  it('and their keys are in no object, row, log or queue', async () => {
    // GIVEN files both ways, and one on which the function fails for good
    const device = await on.thing();
    const { thing } = device;
    await on.grant(mary, thing, 'owner');
    const camera = await on.connect(device);
    const [log, settings] = [randomBytes(5000), randomBytes(5000)];
    const { transfer } = await camera.sends(log);
    const { dataKey } = await mary.api.downloadFile({ params: { thing, transfer } });
    const given = await on.sends(mary, thing, settings);
    await camera.hears(given.transfer, 'offer');
    await camera.gets(given.transfer, { type: 'download' });
    await platform.faults([{ at: 'call', match: { function: 'thingstead-file-transfers' }, do: 'crash-after' }]);
    await camera.say(newTransfer(), { type: 'upload', name: 'log', size: 10 });
    await platform.advance(600);
    await platform.faults([]);
    expect(await platform.messagesIn('thingstead-files-failed')).toBe(1);

    // WHEN
    const places = await everything();

    // THEN
    const search = new SecretSearch([
      { slot: 'a file of the device', bytes: log.subarray(1000, 1064) },
      { slot: 'a file for the device', bytes: settings.subarray(1000, 1064) },
      { slot: 'a key', bytes: Buffer.from(dataKey.plaintext, 'base64') },
      { slot: 'a key', bytes: Buffer.from(given.dataKey.plaintext, 'base64') },
    ]);
    const found = Object.entries(places).flatMap(([place, text]) =>
      search.in(text).map((each) => ({ place, ...each })),
    );
    expect(found).toEqual([]);
    // It has looked where they would be.
    expect(Object.keys(places)).toEqual(expect.arrayContaining([`object files/${thing}/${transfer}`]));
    const wrapped = new SecretSearch([{ slot: 'wrapped', bytes: Buffer.from(dataKey.wrapped, 'base64') }]);
    expect(wrapped.in(places[`table ${TABLE_NAMES.files}`] ?? '')).not.toEqual([]);
    expect(wrapped.in(places[`object files/${thing}/${transfer}`] ?? '')).not.toEqual([]);
    await camera.client.endAsync(true);
  });
});
