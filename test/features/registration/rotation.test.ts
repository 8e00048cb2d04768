/**
 * The life of a device's certificate with the real agent, the real CA in KMS and years that pass: renewed before it expires with no reading lost,
 * and after it has, without anybody's touch.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeCertificateCommand, IoTClient, ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { synthesize, withEditedTemplate } from '../../support/assembly.ts';
import { type Runtime, startRuntime } from '../../support/runtime.ts';
import { describeLocally } from '../../support/target.ts';

const DAY_SECONDS = 86_400;
const VALIDITY_DAYS = 90;
const SENSOR = 'counter';
const LIMIT_MS = 240_000;

const root = path.resolve(__dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-rotation-'));

describeLocally('years that pass', 'the certificate of a device', () => {
  let runtime: Runtime;
  let iot: IoTClient;
  let tables: DynamoDBDocumentClient;
  let days = 0;
  const agents: AgentProcess[] = [];

  beforeAll(async () => {
    const assembly = synthesize({ 'thingstead:certificates': { issuer: 'KMS', validityDays: VALIDITY_DAYS } });
    runtime = await startRuntime({ assembly: withEditedTemplate(assembly, 'ThingsteadPlatform', withoutSchedules) });
    iot = new IoTClient(runtime.config);
    tables = DynamoDBDocumentClient.from(new DynamoDBClient(runtime.config));
    thingstead('ca', 'create', '--name', 'factory');
    thingstead('ca', 'register', '--name', 'factory');
    thingstead('ca', 'create', '--kms', '--name', 'renewals');
  }, LIMIT_MS);
  afterEach(async () => {
    for (const { process } of agents) process.kill('SIGKILL');
    await Promise.all(agents.splice(0).map(({ exited }) => exited));
  });
  afterAll(() => runtime?.stop());

  /** The rows of a command that must succeed. */
  function thingstead(...args: readonly string[]): readonly Record<string, unknown>[] {
    const all = [path.join(root, 'cli/bin/thingstead.mjs'), '--endpoints', runtime.endpointsFile, '--json', ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`thingstead ${args.join(' ')} exited with ${status}: ${stderr}`);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async function pass(more: number): Promise<void> {
    days += more;
    await runtime.advance(more * DAY_SECONDS);
  }

  /** A device of the factory, whose sensor counts: what it has read is written beside it. */
  function makeDevice(
    name: string,
    life = VALIDITY_DAYS,
  ): { readonly config: string; readonly certificateId: string; read(): number } {
    const [made] = thingstead('device', 'create', name, '--ca', 'factory', '--days', String(life));
    const config = path.join(folder, String(made?.configFile));
    const home = path.dirname(config);
    const counter = path.join(home, 'count');
    const url = `${runtime.endpoints.outputs.ThingsteadPlatform?.ApiUrl}/certificates/renewals`;
    const count = `n=$(cat ${counter} 2>/dev/null || echo 0); n=$((n+1)); echo $n > ${counter}; echo $n`;
    const change = {
      sensors: [{ name: SENSOR, source: { kind: 'command', command: ['/bin/sh', '-c', count] }, intervalSeconds: 0.5 }],
      publish: { intervalSeconds: 1 },
      reconnect: { baseSeconds: 0.5, capSeconds: 2 },
      renewal: { url },
    };
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), ...change }));
    return {
      config,
      certificateId: String(made?.certificateId),
      read: () => Number(readFileSync(counter, 'utf8')),
    };
  }

  function start({ config }: { readonly config: string }): AgentProcess {
    const environment = { THINGSTEAD_CLOCK_OFFSET_MS: String(days * DAY_SECONDS * 1000) };
    const agent = startAgentProcess(['--config', config, 'run'], { environment });
    agents.push(agent);
    return agent;
  }

  async function stop(agent: AgentProcess): Promise<void> {
    agent.process.kill('SIGTERM');
    await agent.exited;
  }

  async function statusOf(certificateId: string): Promise<string | undefined> {
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    return certificateDescription?.status;
  }

  async function certificatesOf(thingName: string): Promise<Record<string, string | undefined>> {
    const { principals = [] } = await iot.send(new ListThingPrincipalsCommand({ thingName }));
    const ids = principals.map((arn) => arn.split('/').at(-1) ?? '');
    return Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await statusOf(id)])));
  }

  /** Every reading of the counter that is stored, in order. */
  async function stored(thing: string): Promise<number[]> {
    const values: number[] = [];
    const pages = paginateQuery(
      { client: tables },
      {
        TableName: TABLE_NAMES.telemetryHistory,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `${thing}#${SENSOR}` },
      },
    );
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        const text = JSON.stringify(item);
        values.push(...[...text.matchAll(/"value":(\d+)/g)].map(([, value]) => Number(value)));
      }
    }
    return values.sort((a, b) => a - b);
  }

  it('is listed and counted while it expires soon', async () => {
    const device = makeDevice('soon1', 20);
    const agent = start(device);
    await agent.seen('connection.connected');
    await stop(agent);

    const expires = new Date(Date.now() + 20 * DAY_SECONDS * 1000).toISOString().slice(0, 10);
    expect(thingstead('certificates', 'expiring')).toEqual([{ thing: 'soon1', expires }]);
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
      const device = makeDevice('barn1');
      const before = start(device);
      await before.seen('telemetry.published');
      await stop(before);
      // The program that reads is killed with the agent: its number may have been counted, and never read.
      const cut = [device.read()];
      await pass(69);

      // WHEN it is started near the end of its life
      const after = start(device);
      await after.seen('certificate.renewed');
      await after.seen('telemetry.published', 3);
      await stop(after);
      cut.push(device.read());
      await runtime.advance(0);

      // THEN
      const certificates = await certificatesOf('barn1');
      expect(certificates[device.certificateId]).toBe('INACTIVE');
      expect(Object.values(certificates).sort()).toEqual(['ACTIVE', 'INACTIVE']);
      const readings = await stored('barn1');
      const whole = Array.from({ length: device.read() }, (_, n) => n + 1);
      expect(readings).toEqual(whole.filter((n) => !cut.includes(n) || readings.includes(n)));
      expect(after.events.filter(({ event }) => event === 'connection.connected')).toHaveLength(2);

      // AND it goes on with the new one, and with that one alone
      const again = start(device);
      await again.seen('connection.connected');
      expect(again.events.map(({ event }) => event)).not.toContain('connection.waiting_for_activation');
      expect(again.output()).not.toContain('PRIVATE');
    },
    LIMIT_MS,
  );

  it(
    'that expired on the shelf years ago is replaced, and the device is back by itself',
    async () => {
      const device = makeDevice('shelf1');
      const before = start(device);
      await before.seen('telemetry.published');
      await stop(before);
      expect(existsSync(path.join(path.dirname(device.config), 'state'))).toBe(true);
      await pass(3 * 365);

      const after = start(device);
      await after.seen('certificate.recovered');
      await after.seen('certificate.renewed');
      await after.seen('telemetry.published');

      expect(await statusOf(device.certificateId)).toBe('INACTIVE');
    },
    LIMIT_MS,
  );
});

/** What looks every minute would look a million times in three years; nothing here sleeps or is told of. */
function withoutSchedules({ Resources }: Parameters<Parameters<typeof withEditedTemplate>[2]>[0]): void {
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type === 'AWS::Events::Rule' && Properties?.ScheduleExpression) Properties.State = 'DISABLED';
    if (Type.startsWith('AWS::CloudWatch::')) delete Resources[id];
  }
}
