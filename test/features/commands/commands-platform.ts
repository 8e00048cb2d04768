/** People with a thing, and a simple MQTT device that does what it is told. */
import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { CommandMessage, type CommandOutcome, PENDING_COMMANDS } from '@thingstead/contracts/commands';
import { type GrantRow, grantKey, type Role, targetKey } from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import type { Command } from '@thingstead/contracts/routes/commands';
import { commandTopic } from '@thingstead/contracts/topics';
import type { IClientOptions } from 'mqtt';
import * as v from 'valibot';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import type { Person } from '../../support/person.ts';
import type { DeviceClient, Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

type Answers = (command: CommandMessage) => readonly (CommandOutcome | string)[];

export interface CommandedDevice {
  readonly client: DeviceClient;
  /** Every message as it came, also the second time. */
  readonly received: readonly CommandMessage[];
  /** Each of them once: on a slow machine a tick may bring one again before the device has answered. */
  different(): readonly CommandMessage[];
  /** Says something on the outcome topic of a command, or of what it takes for one. */
  say(command: string, outcome: CommandOutcome | string): Promise<void>;
}

/** Says that it has it, and that it has done it. */
export const EXECUTES: Answers = ({ payload }) => [
  { state: 'DELIVERED' },
  { state: 'EXECUTED', result: { got: payload } },
];
export const SILENT: Answers = () => [];

export interface GivenBody {
  readonly name: string;
  readonly payload?: unknown;
  readonly ttlSeconds?: number;
}

export async function commandsPlatform(platform: Platform) {
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
  const ca = await createCa(unique('commands'));
  await platform.registerCa(ca);

  return {
    /** A thing that has been connected, and is not now. */
    async thing(name = 'lamp'): Promise<DeviceCertificate> {
      const device = await issue(ca, unique(`${name}${randomUUID().slice(0, 8)}`));
      await platform.join(device);
      await platform.idle();
      return device;
    },

    /** As pairing and sharing write it. */
    async grant({ person }: Person, thing: string, role: Role, visibleFrom = 0): Promise<void> {
      const target = { kind: 'thing', name: thing } as const;
      const row: GrantRow = {
        ...grantKey(person, target),
        ...{ person, role, visibleFrom, target: targetKey(target), grantedBy: person, grantedAt: visibleFrom },
      };
      await tables.send(new PutCommand({ TableName: TABLE_NAMES.access, Item: row }));
    },

    /** Subscribes, says that it listens, and answers each command. */
    async connect(
      device: DeviceCertificate,
      answers: Answers = EXECUTES,
      { announces = true, ...options }: IClientOptions & { readonly announces?: boolean } = {},
    ): Promise<CommandedDevice> {
      const { thing } = device;
      // The clock is advanced while it is connected.
      const client = await platform.connect(device, { keepalive: 0, ...options });
      const received: CommandMessage[] = [];
      const say = async (id: string, outcome: CommandOutcome | string): Promise<void> => {
        const payload = typeof outcome === 'string' ? outcome : JSON.stringify(outcome);
        await client.publishAsync(`${commandTopic(thing, id)}/outcome`, payload, { qos: 1 });
      };
      client.on('message', (_, payload) => {
        const command = v.parse(CommandMessage, JSON.parse(payload.toString('utf8')));
        received.push(command);
        for (const outcome of answers(command)) void say(command.id, outcome);
      });
      await client.trySubscribe(commandTopic(thing, '+'));
      if (announces) await say(PENDING_COMMANDS, '{}');
      await platform.idle();
      const different = () => [...new Map(received.map((command) => [JSON.stringify(command), command])).values()];
      return { client, received, different, say };
    },

    /** Rejects unless it is accepted. */
    async give(person: Person, thing: string, body: GivenBody, key: string = randomUUID()): Promise<Command> {
      const headers = { 'idempotency-key': key };
      const answer = await person.call('POST', `/things/${thing}/commands`, body, { headers });
      if (answer.status !== 202) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },

    async read(person: Person, { thing, id }: Pick<Command, 'thing' | 'id'>): Promise<Command> {
      const { status, body } = await person.call('GET', `/things/${thing}/commands/${id}`);
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body;
    },

    /** How often a command has come into this state, by the log. */
    async changes({ id }: Pick<Command, 'id'>, state: string): Promise<number> {
      const logs = await Promise.all(
        (['command-deliveries', 'commands'] as const).map((name) => platform.functionLog(name, id)),
      );
      const changed = logs
        .join('\n')
        .split('\n')
        .filter((line) => line.includes('command.changed') && line.includes(`"${state}"`));
      return changed.length;
    },
  };
}
