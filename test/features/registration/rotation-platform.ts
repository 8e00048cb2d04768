/** A platform whose CA is in KMS, devices of a factory whose sensor counts, and years that pass. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeCertificateCommand, IoTClient, ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { synthesize, withEditedTemplate } from '../../support/assembly.ts';
import { commandProcess } from '../../support/command-process.ts';
import { startRuntime } from '../../support/runtime.ts';

export const DAY_SECONDS = 86_400;
const VALIDITY_DAYS = 90;
const SENSOR = 'counter';

export interface RotatingDevice {
  /** File of the agent's configuration. */
  readonly config: string;
  readonly certificateId: string;
  /** The last number that its sensor has counted. */
  read(): number;
  /** Changes members of the configuration; those that are undefined go. */
  configure(change: object): void;
}

export type RotationPlatform = Awaited<ReturnType<typeof startRotationPlatform>>;

export async function startRotationPlatform() {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-rotation-'));
  const assembly = synthesize({ 'thingstead:certificates': { issuer: 'KMS', validityDays: VALIDITY_DAYS } });
  const runtime = await startRuntime({
    assembly: withEditedTemplate(assembly, 'ThingsteadPlatform', withoutSchedules),
  });
  const iot = new IoTClient(runtime.config);
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(runtime.config));
  const agents: AgentProcess[] = [];
  let days = 0;
  const thingstead = commandProcess(runtime.endpointsFile, folder);
  thingstead('ca', 'create', '--name', 'factory');
  thingstead('ca', 'register', '--name', 'factory');
  thingstead('ca', 'create', '--kms', '--name', 'renewals');

  async function statusOf(certificateId: string): Promise<string | undefined> {
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    return certificateDescription?.status;
  }

  return {
    runtime,
    thingstead,
    statusOf,

    async pass(more: number): Promise<void> {
      days += more;
      await runtime.advance(more * DAY_SECONDS);
    },

    /** A device of the factory, whose sensor counts: what it has read is written beside it. */
    makeDevice(name: string, life = VALIDITY_DAYS): RotatingDevice {
      const [made] = thingstead('device', 'create', name, '--ca', 'factory', '--days', String(life));
      const config = path.join(folder, String(made?.configFile));
      const counter = path.join(path.dirname(config), 'count');
      // In one step: it may be killed with its agent at any moment.
      const keep = `echo $n > ${counter}.new; mv ${counter}.new ${counter}`;
      const count = `n=$(cat ${counter} 2>/dev/null || echo 0); n=$((n+1)); ${keep}; echo $n`;
      const source = { kind: 'command', command: ['/bin/sh', '-c', count] };
      const device = {
        config,
        certificateId: String(made?.certificateId),
        read: () => Number(readFileSync(counter, 'utf8')),
        configure: (change: object) =>
          writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), ...change })),
      };
      device.configure({
        sensors: [{ name: SENSOR, source, intervalSeconds: 0.5 }],
        publish: { intervalSeconds: 1 },
        reconnect: { baseSeconds: 0.5, capSeconds: 2 },
        renewal: { url: `${runtime.endpoints.outputs.ThingsteadPlatform?.ApiUrl}/certificates/renewals` },
      });
      return device;
    },

    /** The device's agent, or another command of it, today. */
    start(
      { config }: RotatingDevice,
      environment: Readonly<Record<string, string>> = {},
      command = 'run',
    ): AgentProcess {
      const offset = { THINGSTEAD_CLOCK_OFFSET_MS: String(days * DAY_SECONDS * 1000) };
      const agent = startAgentProcess(['--config', config, command], { environment: { ...environment, ...offset } });
      agents.push(agent);
      return agent;
    },

    async killAgents(): Promise<void> {
      for (const { process } of agents) process.kill('SIGKILL');
      await Promise.all(agents.splice(0).map(({ exited }) => exited));
    },

    /** The status of each certificate of a thing, by its id. */
    async certificatesOf(thingName: string): Promise<Record<string, string | undefined>> {
      const { principals = [] } = await iot.send(new ListThingPrincipalsCommand({ thingName }));
      const ids = principals.map((arn) => arn.split('/').at(-1) ?? '');
      return Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await statusOf(id)])));
    },

    /** Every reading of the counter that is stored, in order. */
    async stored(thing: string): Promise<number[]> {
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
    },
  };
}

export async function endAgent(agent: AgentProcess): Promise<void> {
  agent.process.kill('SIGTERM');
  await agent.exited;
}

/** What looks every minute would look a million times in three years; nothing here sleeps or is told of. */
function withoutSchedules({ Resources }: Parameters<Parameters<typeof withEditedTemplate>[2]>[0]): void {
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type === 'AWS::Events::Rule' && Properties?.ScheduleExpression) Properties.State = 'DISABLED';
    if (Type.startsWith('AWS::CloudWatch::')) delete Resources[id];
  }
}
