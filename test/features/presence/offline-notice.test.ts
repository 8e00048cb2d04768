/** The offline check, fifteen minutes after a connection is lost: one notice for an outage that lasts, none for one that does not. */
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Notice } from '@thingstead/contracts/notices';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';

let platform: Platform;
const devices = new Map<string, DeviceCertificate>();
const [barn, field, lone] = [unique('macdonald-barn1'), unique('macdonald-field1'), unique('lone')];

describeLocally('a clock that can be advanced', 'a thing that is offline', () => {
  beforeAll(async () => {
    platform = await startPlatform();
    const ca = await createCa(unique('offline'));
    await platform.registerCa(ca);
    for (const thing of [barn, field, lone]) {
      const device = await issue(ca, thing);
      devices.set(thing, device);
      await platform.join(device);
      await goOnlineAndOff(thing);
    }
    await platform.advance(1000);
    await notices();
  });
  afterAll(() => platform.stop());

  it('for fifteen minutes is told about once', async () => {
    await goOnlineAndOff(lone);

    await platform.advance(899);
    expect(await notices()).toEqual([]);
    await platform.advance(2);
    expect(await notices()).toMatchObject([
      { kind: 'offline', group: { kind: 'thing', name: lone }, things: [{ thing: lone }] },
    ]);

    await platform.advance(7200);
    expect(await notices()).toEqual([]);
  });
});

async function goOnlineAndOff(thing: string): Promise<void> {
  const device = devices.get(thing);
  if (!device) throw new Error(`no device ${thing}`);
  const client = await platform.connect(device);
  await platform.soon(async () => {
    expect((await platform.thingRow(thing))?.presence).toMatchObject({ connected: true });
  });
  await client.endAsync();
  await platform.soon(async () => {
    expect((await platform.thingRow(thing))?.presence).toMatchObject({ connected: false });
  });
  await platform.idle();
}

/** What has arrived on the queue of notices since the last call. */
async function notices(): Promise<Notice[]> {
  const sqs = new SQSClient(platform.config);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'thingstead-notices' }));
  const found: Notice[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return found;
    for (const { Body = '', ReceiptHandle } of Messages) {
      found.push(JSON.parse(Body));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}
