/** What a thing's type decides: the settings that a device is told, and how its silence is noticed. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateThingTypeCommand } from '@aws-sdk/client-iot';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { dueShardOf, THINGS_INDEXES, thingKey } from '@thingstead/contracts/things';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { describingDevice, STATION } from './describing-device.ts';

const INTERVAL_SECONDS = 7200;

describeLocally('settings of thing types', 'a device of a type', () => {
  let platform: Platform;
  let ca: CertificateAuthority;
  let tables: DynamoDBDocumentClient;

  beforeAll(async () => {
    platform = await startPlatform({
      'thingstead:thingTypes': {
        pump: { samplingSeconds: 5, reportingSeconds: 60 },
        'soil-probe': { expectedIntervalSeconds: INTERVAL_SECONDS },
      },
    });
    tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
    ca = await createCa(unique('types'));
    await platform.registerCa(ca);
    for (const thingTypeName of ['pump', 'soil-probe']) {
      await platform.iot.send(new CreateThingTypeCommand({ thingTypeName }));
    }
  });
  afterAll(() => platform.stop());

  async function joined(thing: string, thingType: string): Promise<DeviceCertificate> {
    await platform.addToManifest({ thing, thingType });
    const device = await issue(ca, thing);
    await platform.join(device);
    await platform.idle();
    return device;
  }

  /** Things that are looked for from a time until then. */
  async function lookedFor(thing: string, until: number): Promise<readonly unknown[]> {
    const { Items = [] } = await tables.send(
      new QueryCommand({
        TableName: TABLE_NAMES.things,
        IndexName: THINGS_INDEXES.due,
        KeyConditionExpression: 'dueShard = :shard AND dueAt <= :until',
        ExpressionAttributeValues: { ':shard': dueShardOf(thing), ':until': until },
      }),
    );
    return Items.map(({ pk }) => pk);
  }

  async function presence(thing: string): Promise<unknown> {
    return (await platform.thingRow(thing))?.presence;
  }

  it('is told the settings of its type', async () => {
    const { client, describe } = await describingDevice(platform, await joined(unique('macdonald-pump'), 'pump'));

    const answer = await describe({ id: 'boot-1', ...STATION });

    expect(answer).toEqual({
      verdict: 'accepted',
      id: 'boot-1',
      settings: { samplingSeconds: 5, reportingSeconds: 60 },
    });
    await client.endAsync(true);
  });

  it('that sleeps is looked for when its interval is over, also if it was never seen before its description', async () => {
    const thing = unique('macdonald-probe1');
    await joined(thing, 'soil-probe');
    const lambda = new LambdaClient(platform.config);
    const before = Date.now();
    // As its gateway would publish it: the thing itself has no connection.
    const payload = Buffer.from(JSON.stringify(STATION)).toString('base64');
    const Payload = Buffer.from(JSON.stringify({ thing, at: before, payload }));
    await lambda.send(new InvokeCommand({ FunctionName: 'thingstead-onboarding', Payload }));

    expect(await platform.thingRow(thing)).toMatchObject({ thingType: 'soil-probe' });
    expect(await lookedFor(thing, before + (INTERVAL_SECONDS - 60) * 1000)).toEqual([]);
    expect(await lookedFor(thing, before + (INTERVAL_SECONDS + 3600) * 1000)).toEqual([thing]);
  });

  it('that sleeps may go as soon as it has described itself: its silence is told about, not its going', async () => {
    const thing = unique('macdonald-probe2');
    const { client, describe } = await describingDevice(platform, await joined(thing, 'soil-probe'));
    await describe(STATION);
    await client.endAsync();
    await platform.advance(1200);
    expect(await presence(thing)).toMatchObject({ connected: false });
    expect(await presence(thing)).not.toHaveProperty('outage');

    await platform.advance(INTERVAL_SECONDS + 600);

    expect(await presence(thing)).toMatchObject({ outage: { notice: expect.stringContaining('offline') } });
  });

  it('whose row is damaged gets no answer; the description ends in the queue of failures, with an alarm', async () => {
    const thing = unique('macdonald-pump2');
    const device = await joined(thing, 'pump');
    await tables.send(
      new PutCommand({ TableName: TABLE_NAMES.things, Item: { ...thingKey(thing), describedAt: 'yesterday' } }),
    );
    const before = await platform.messagesIn('thingstead-onboarding-failed');

    const client = await platform.connect(device);
    await client.tryPublish(`device/${thing}/register/v1`, JSON.stringify(STATION));
    await client.endAsync();
    await platform.advance(200);

    expect(await platform.messagesIn('thingstead-onboarding-failed')).toBe(before + 1);
    await platform.advance(300);
    expect(await platform.alarmsInAlarm()).toContain('thingstead-onboarding-failed-queue');
  });
});
