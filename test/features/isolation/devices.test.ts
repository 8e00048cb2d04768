/** Device A against everything that is not its own: each row is denied, and the connection closed where AWS closes it. */
import { createCa, issue } from '../../support/certificates.ts';
import { type DeviceClient, type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

const A = unique('site-a1');
const B = unique('site-b1');
let platform: Platform;
let a: Awaited<ReturnType<typeof issue>>;
let b: Awaited<ReturnType<typeof issue>>;

beforeAll(async () => {
  platform = await startPlatform();
  const ca = await createCa(unique('isolation'));
  await platform.registerCa(ca);
  a = await issue(ca, A);
  b = await issue(ca, B);
  await platform.join(a);
  await platform.join(b);
});
afterAll(() => platform.stop());

const foreignPublish = [
  ['B’s telemetry', `device/${B}/sensor/temperature/v1`],
  ['a thing whose name begins like its own', `device/${A}0/sensor/temperature/v1`],
  ['B’s shadow', `$aws/things/${B}/shadow/update`],
  ['B’s named shadow', `$aws/things/${B}/shadow/name/firmware/update`],
  ['B’s Basic Ingest', `$aws/rules/thingstead_telemetry/device/${B}/sensor/temperature/v1`],
  ['Basic Ingest of another rule', `$aws/rules/thingstead_registration/device/${A}/sensor/temperature/v1`],
  ['B’s last will', `device/${B}/lwt/v1`],
  ['B’s description of itself', `device/${B}/register/v1`],
  ['answers about B’s shadow', `$aws/things/${B}/shadow/update/accepted`],
  ['B’s command outcome', `device/${B}/command/c1/v1/outcome`],
  ['B’s file transfer', `device/${B}/files/${'0'.repeat(26)}/v1`],
  ['answers about its own files', `device/${A}/files/${'0'.repeat(26)}/v1/accepted`],
  ['B’s firmware', `device/${B}/firmware/${'0'.repeat(26)}/v1`],
  ['what B runs', `device/${B}/firmware/running/v1`],
  ['answers about its own firmware', `device/${A}/firmware/${'0'.repeat(26)}/v1/accepted`],
  ['a life-cycle event', `$aws/events/presence/connected/${B}`],
  ['a registration event', `$aws/events/certificates/registered/${'0'.repeat(64)}`],
  ['a topic of no one', 'anything/else'],
  ['its own answers', `device/${A}/register/v1/accepted`],
  ['B’s request for a certificate', `device/${B}/register/certificate/v1`],
  ['its own answers about certificates', `device/${A}/register/certificate/v1/accepted`],
  ['what an operator wants of its certificate', `device/${A}/register/certificate/v1/wanted`],
] as const;

const foreignSubscribe = [
  ['everything', '#'],
  ['every device', 'device/#'],
  ['every device’s commands', 'device/+/command/#'],
  ['B’s commands', `device/${B}/command/+/v1`],
  ['the keys of B’s files', `device/${B}/files/+/v1/accepted`],
  ['the keys of all files', 'device/+/files/+/v1/accepted'],
  ['B’s downloads of firmware', `device/${B}/firmware/+/v1/accepted`],
  ['all downloads of firmware', 'device/+/firmware/+/v1/accepted'],
  ['a wildcard in the place of the thing', 'device/+/register/v1/accepted'],
  ['answers to B’s description', `device/${B}/register/v1/accepted`],
  ['B’s certificates', `device/${B}/register/certificate/v1/accepted`],
  ['B’s last will', `device/${B}/lwt/v1`],
  ['B’s shadow', `$aws/things/${B}/shadow/#`],
  ['every shadow', '$aws/things/+/shadow/update/delta'],
  ['life-cycle events', '$aws/events/presence/#'],
  ['a shared subscription to B', `$share/g/device/${B}/command/+/v1`],
] as const;

describe.each([4, 5] as const)('over MQTT protocol level %d, device A', (protocolVersion) => {
  async function connected(): Promise<DeviceClient> {
    return platform.connect(a, { protocolVersion });
  }

  it.each(foreignPublish)('may not publish to %s', async (_what, topic) => {
    const client = await connected();

    const answer = await client.tryPublish(topic, '{"value":1}');

    expect(answer).toBe(protocolVersion === 4 ? 'closed' : 'not-authorized');
    await client.endAsync(true);
  });

  it('leaves nothing in the history of B with all of that', async () => {
    await platform.idle();

    expect(await platform.history(B, 'temperature')).toEqual([]);
    expect(await platform.shadow(B)).toBeUndefined();
    expect(await platform.thingRow(B)).not.toHaveProperty('describedAt');
  });

  it.each(foreignSubscribe)('may not subscribe to %s', async (_what, filter) => {
    const client = await connected();

    const answer = await client.trySubscribe(filter);

    expect(answer).toBe(protocolVersion === 4 ? 'closed' : 'not-authorized');
    await client.endAsync(true);
  });

  it('may not connect under the client id of B', async () => {
    await expect(platform.connect(a, { protocolVersion, clientId: B })).rejects.toThrow(
      protocolVersion === 4 ? 'closed before CONNACK' : 'Not authorized',
    );
  });

  it('may not connect under a client id of no thing', async () => {
    await expect(platform.connect(a, { protocolVersion, clientId: `${A}-spare` })).rejects.toThrow();
  });

  it('may not leave a last will on B’s topic', async () => {
    const will = { topic: `device/${B}/lwt/v1`, payload: Buffer.from('{}'), qos: 1, retain: false } as const;

    await expect(platform.connect(a, { protocolVersion, will })).rejects.toThrow();
  });

  it('may do what is its own', async () => {
    const client = await connected();

    expect(await client.tryPublish(`device/${A}/sensor/temperature/v1`, '{"value":1}')).toBe('accepted');
    expect(
      await client.tryPublish(`$aws/rules/thingstead_telemetry/device/${A}/sensor/temperature/v1`, '{"value":1}'),
    ).toBe('accepted');
    expect(await client.trySubscribe(`device/${A}/command/+/v1`)).toBe('accepted');
    expect(await client.trySubscribe(`$aws/things/${A}/shadow/update/delta`)).toBe('accepted');
    await client.endAsync(true);
  });
});

describe('over HTTPS, device A', () => {
  it.each([
    ['its own telemetry', `device/${A}/sensor/temperature/v1`, 200],
    ['B’s telemetry', `device/${B}/sensor/temperature/v1`, 403],
    ['B’s shadow', `$aws/things/${B}/shadow/update`, 403],
    ['its own command topics, which are for MQTT', `device/${A}/register/v1`, 403],
  ] as const)('publishing to %s', async (_what, topic, status) => {
    expect(await platform.publishOverHttps(a, topic, '{"value":1}')).toBe(status);
  });
});
