/** The device agent describes itself, and works as it is told in return. */
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { registerTopic } from '@thingstead/contracts/topics';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';

describeLocally('settings of a thing type', 'the agent', () => {
  let platform: Platform;
  let agents: PlatformAgents;
  let ca: CertificateAuthority;
  const settings = { samplingSeconds: 120, reportingSeconds: 300 };

  beforeAll(async () => {
    platform = await startPlatform({ 'thingstead:thingTypes': { 'thingstead-device': settings } });
    agents = platformAgents(platform);
    ca = await createCa(unique('agent-onboarding'));
    await platform.registerCa(ca);
  });
  afterEach(() => agents.kill());
  afterAll(async () => {
    agents.remove();
    await platform.stop();
  });

  async function joined(name: string): Promise<DeviceCertificate> {
    const device = await issue(ca, unique(`macdonald-${name}`));
    await platform.join(device);
    return device;
  }

  it('describes itself on its first connection, takes the settings of its type, and reports them', async () => {
    const device = await joined('first');
    const description = { model: 'weather-station', hardwareRevision: 'B', serial: 'WS-0042', capabilities: ['power'] };
    const agent = agents.start(device, { description });

    expect(await agent.seen('onboarding.accepted')).toMatchObject(settings);
    // Once when it was connected, and once when the settings had come.
    await agent.seen('presence.reported', 2);

    expect(await platform.thingRow(device.thing)).toMatchObject({
      ...description,
      thing: device.thing,
      firmwareVersion: '0.0.0',
      sensors: [{ name: 'temperature' }],
    });
    expect(await platform.shadow(device.thing)).toMatchObject({
      state: { reported: { connected: true, firmwareVersion: '0.0.0', settings } },
    });
  });

  it('describes itself once, and again when it has something else to say; the settings are there from the start', async () => {
    const device = await joined('again');
    const first = agents.start(device);
    await first.seen('onboarding.accepted');
    await agents.kill();

    const second = agents.start(device);
    await second.seen('presence.reported');
    second.process.kill('SIGTERM');
    await second.exited;
    expect(second.events.filter(({ event }) => event === 'onboarding.described')).toEqual([]);

    const third = agents.start(device, { description: { hardwareRevision: 'C' } });
    await third.seen('onboarding.accepted');
    expect(await platform.thingRow(device.thing)).toMatchObject({ hardwareRevision: 'C' });
    third.process.kill('SIGTERM');
    await third.exited;
    expect(third.events.filter(({ event }) => event === 'presence.reported')).toHaveLength(1);
    expect(await platform.shadow(device.thing)).toMatchObject({ state: { reported: { settings } } });
  });

  it('takes other settings while it runs, and its shadow forgets those that are gone', async () => {
    const device = await joined('told');
    const agent = agents.start(device);
    await agent.seen('onboarding.accepted');
    await agent.seen('presence.reported', 2);

    const payload = Buffer.from(JSON.stringify({ settings: { reportingSeconds: 600 } }));
    const topic = `${registerTopic(device.thing)}/accepted`;
    await new IoTDataPlaneClient(platform.config).send(new PublishCommand({ topic, payload, qos: 1 }));
    await agent.seen('presence.reported', 3);

    const { state } = (await platform.shadow(device.thing)) as { state: { reported: { settings: unknown } } };
    expect(state.reported.settings).toEqual({ reportingSeconds: 600 });
  });

  it('is told what is wrong with its description, and goes on with its readings', async () => {
    const device = await joined('wrong');
    const agent = agents.start(device, {
      description: { gateway: unique('otherfarm-gateway') },
      publish: { intervalSeconds: 0.5 },
    });

    expect(await agent.seen('onboarding.rejected')).toMatchObject({ reason: expect.stringContaining('gateway') });
    await agent.seen('telemetry.published');
  });
});
