/** Certificates that an operator signs, with a key that no cloud has: the device asks, waits, and has it. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeCertificateCommand, IoTClient } from '@aws-sdk/client-iot';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { synthesize } from '../../support/assembly.ts';
import { commandProcess } from '../../support/command-process.ts';
import { type Runtime, startRuntime } from '../../support/runtime.ts';
import { describeLocally } from '../../support/target.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-operator-signs-'));
const LIMIT_MS = 180_000;

describeLocally('a table of its own', 'certificates that an operator signs', () => {
  let runtime: Runtime;
  let thingstead: ReturnType<typeof commandProcess>;
  const agents: AgentProcess[] = [];

  beforeAll(async () => {
    runtime = await startRuntime({ assembly: synthesize() });
    thingstead = commandProcess(runtime.endpointsFile, folder);
    thingstead('ca', 'create', '--name', 'factory');
    thingstead('ca', 'register', '--name', 'factory');
  }, LIMIT_MS);
  afterAll(async () => {
    for (const { process } of agents) process.kill('SIGKILL');
    await Promise.all(agents.map(({ exited }) => exited));
    await runtime?.stop();
  });

  function start(config: string): AgentProcess {
    const agent = startAgentProcess(['--config', config, 'run']);
    agents.push(agent);
    return agent;
  }

  it(
    'reach the device that an operator has asked to renew',
    async () => {
      // GIVEN a device whose certificate lives on for a year
      const [made] = thingstead('device', 'create', 'gate1', '--ca', 'factory');
      const config = path.join(folder, String(made?.configFile));
      const reconnect = { baseSeconds: 0.5, capSeconds: 2 };
      writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), reconnect }));
      const before = start(config);
      await before.seen('onboarding.accepted');

      // WHEN an operator wants a new one, and the device has asked for it
      thingstead('certificates', 'renew', 'gate1');
      expect(await before.seen('certificate.not_renewed')).toMatchObject({ code: 'pending' });
      expect(thingstead('certificates', 'pending')).toEqual([expect.objectContaining({ thing: 'gate1' })]);
      const [signed] = thingstead('certificates', 'sign', 'gate1', '--ca', 'factory');
      expect(thingstead('certificates', 'pending')).toEqual([]);

      // THEN it has it when it asks again: after an hour, or when it starts
      before.process.kill('SIGTERM');
      await before.exited;
      const after = start(config);
      await after.seen('certificate.renewed');
      const iot = new IoTClient(runtime.config);
      const statusOf = async (certificateId: unknown): Promise<string | undefined> =>
        (await iot.send(new DescribeCertificateCommand({ certificateId: String(certificateId) })))
          .certificateDescription?.status;
      expect(await statusOf(made?.certificateId)).toBe('INACTIVE');
      expect(await statusOf(signed?.certificateId)).toBe('ACTIVE');

      // AND the wish, which is retained, is not heard again
      after.process.kill('SIGTERM');
      await after.exited;
      const again = start(config);
      await again.seen('connection.connected');
      await again.seen('telemetry.published', 2);
      expect(again.events.map(({ event }) => event)).not.toContain('certificate.renewing');
    },
    LIMIT_MS,
  );
});
