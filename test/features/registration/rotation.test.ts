/**
 * The life of a device's certificate with the real agent, the real CA in KMS and years that pass: renewed before it expires with no reading lost,
 * and after it has, without anybody's touch.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describeLocally } from '../../support/target.ts';
import { DAY_SECONDS, endAgent, type RotationPlatform, startRotationPlatform } from './rotation-platform.ts';

const LIMIT_MS = 240_000;

describeLocally('years that pass', 'the certificate of a device', () => {
  let platform: RotationPlatform;

  beforeAll(async () => {
    platform = await startRotationPlatform();
  }, LIMIT_MS);
  afterEach(() => platform.killAgents());
  afterAll(() => platform?.runtime.stop());

  it('is listed and counted while it expires soon', async () => {
    const { runtime } = platform;
    const agent = platform.start(platform.makeDevice('soon1', 20));
    await agent.seen('connection.connected');
    await endAgent(agent);

    const expires = new Date(Date.now() + 20 * DAY_SECONDS * 1000).toISOString().slice(0, 10);
    expect(platform.thingstead('certificates', 'expiring')).toEqual([{ thing: 'soon1', expires }]);
    await new LambdaClient(runtime.config).send(new InvokeCommand({ FunctionName: 'thingstead-certificate-expiries' }));
    const { Datapoints } = await new CloudWatchClient(runtime.config).send(
      new GetMetricStatisticsCommand({
        Namespace: 'Thingstead',
        MetricName: 'CertificatesExpiring',
        Dimensions: [{ Name: 'service', Value: 'certificate-expiries' }],
        StartTime: new Date(Date.now() - 3_600_000),
        EndTime: new Date(Date.now() + 3_600_000),
        Period: 60,
        Statistics: ['Maximum'],
      }),
    );
    expect(Datapoints?.map(({ Maximum }) => Maximum)).toEqual([1]);
  });

  it(
    'is renewed when it is due, over the old connection, with no reading lost; then the old one is INACTIVE',
    async () => {
      // GIVEN a device that works with its first certificate
      const device = platform.makeDevice('barn1');
      const before = platform.start(device);
      await before.seen('telemetry.published');
      await endAgent(before);
      // The program that reads is killed with the agent: its number may have been counted, and never read.
      const cut = [device.read()];
      await platform.pass(69);

      // WHEN it is started near the end of its life
      const after = platform.start(device);
      await after.seen('certificate.renewed');
      await after.seen('telemetry.published', 3);
      await endAgent(after);
      cut.push(device.read());
      await platform.runtime.advance(0);

      // THEN
      const certificates = await platform.certificatesOf('barn1');
      expect(certificates[device.certificateId]).toBe('INACTIVE');
      expect(Object.values(certificates).sort()).toEqual(['ACTIVE', 'INACTIVE']);
      const readings = await platform.stored('barn1');
      const whole = Array.from({ length: device.read() }, (_, n) => n + 1);
      expect(readings).toEqual(whole.filter((n) => !cut.includes(n) || readings.includes(n)));
      expect(after.events.filter(({ event }) => event === 'connection.connected')).toHaveLength(2);

      // AND it goes on with the new one, and with that one alone
      const again = platform.start(device);
      await again.seen('connection.connected');
      expect(again.events.map(({ event }) => event)).not.toContain('connection.waiting_for_activation');
      expect(again.output()).not.toContain('PRIVATE');
    },
    LIMIT_MS,
  );

  it(
    'that expired on the shelf years ago is replaced, and the device is back by itself',
    async () => {
      const device = platform.makeDevice('shelf1');
      const before = platform.start(device);
      await before.seen('telemetry.published');
      await endAgent(before);
      expect(existsSync(path.join(path.dirname(device.config), 'state'))).toBe(true);
      await platform.pass(3 * 365);

      const after = platform.start(device);
      await after.seen('certificate.recovered');
      await after.seen('certificate.renewed');
      await after.seen('telemetry.published');

      expect(await platform.statusOf(device.certificateId)).toBe('INACTIVE');
    },
    LIMIT_MS,
  );
});
