/**
 * People and their things, from the first day to the last: sign up, pair with the code that the device shows, list, read state and
 * history, change desired state and see it reported, command and outcome, share, give up. With the real agent, over real HTTP, MQTT
 * and WebSocket. Each step goes on where the one before has ended.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApiProblem, type Client, pages } from '@thingstead/client';
import type { AgentProcess } from '../../support/agent-process.ts';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import type { WebSocketClient } from '../../support/mqtt-websocket.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { unique } from '../../support/unique-name.ts';

const thing = unique('greenhouse');
const shadow = `$aws/things/${thing}/shadow`;
let platform: Platform;
let agents: PlatformAgents;
let folder: string;
let device: DeviceCertificate;
let agent: AgentProcess;
let mary: Person;
let john: Person;
let paul: Person;
/** Mary's page. */
let app: WebSocketClient;
/** John's page. */
let phone: WebSocketClient;

beforeAll(async () => {
  platform = await startPlatform();
  agents = platformAgents(platform);
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-journey-'));
  const ca = await createCa(unique('journey'));
  await platform.registerCa(ca);
  device = await issue(ca, thing);
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  agent = agents.start(device, {
    sensors: [{ name: 'temperature', unit: 'Cel', source: { kind: 'simulator' }, intervalSeconds: 1 }],
    // An app hears no reading that goes through Basic Ingest.
    publish: { basicIngest: false, intervalSeconds: 1 },
    state: { fan: { module: file('fan.mjs', 'export default (speed) => speed;') } },
    commands: { water: { module: file('water.mjs', 'export default ({ litres }) => ({ poured: litres });') } },
  });
  await agent.seen('presence.reported');
});
afterAll(async () => {
  await agents?.kill();
  agents?.remove();
  await platform?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const params = { thing };

async function namesOf({ api }: Person): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { things } of pages(api.listThings, {})) names.push(...things.map((each) => each.thing));
  return names;
}

/** The status with which the API refuses. */
async function refusalOf(request: Promise<unknown>): Promise<number> {
  try {
    await request;
  } catch (error) {
    if (error instanceof ApiProblem) return error.status;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The page of a person who has told the platform that they have one. */
async function pageOf(person: Person): Promise<WebSocketClient> {
  await person.identify();
  return platform.soon(() => person.connect());
}

function readings(api: Client, from: number): ReturnType<Client['getTelemetry']> {
  return api.getTelemetry({ params, query: { sensor: 'temperature', from, to: Date.now() + 60_000 } });
}

describe('a person', () => {
  it('signs up, and has nothing', async () => {
    [mary, john, paul] = await Promise.all([newPerson(platform), newPerson(platform), newPerson(platform)]);

    expect(await mary.api.getMe()).toMatchObject({ person: mary.person, groups: [] });
    expect(await namesOf(mary)).toEqual([]);
    expect(await refusalOf(mary.api.getThing({ params }))).toBe(404);
  });

  it('pairs with the code that the device shows, once', async () => {
    const code = await agents.pairingCode(device);

    expect(await mary.api.pair({ body: { code } })).toMatchObject({ thing, role: 'owner' });

    expect(await refusalOf(john.api.pair({ body: { code } }))).toBe(404);
    await expect(agents.pairingCode(device)).rejects.toThrow('already-owned');
  });

  it('finds the thing in the list, and names it', async () => {
    await platform.soon(async () => {
      const { things } = await mary.api.listThings({ query: { connected: true } });
      expect(things).toEqual([expect.objectContaining({ thing, role: 'owner', connected: true })]);
    });

    expect(await mary.api.patchThing({ params, body: { label: 'Greenhouse' } })).toMatchObject({ label: 'Greenhouse' });

    const { things } = await mary.api.listThings({ query: { text: 'house' } });
    expect(things).toMatchObject([{ thing, label: 'Greenhouse' }]);
    expect(await namesOf(john)).toEqual([]);
  });

  it('reads its state and its history', async () => {
    expect((await mary.api.getState({ params })).reported).toMatchObject({ connected: true });
    await platform.soon(async () => {
      const { readings: found = [] } = await readings(mary.api, 0);
      expect(found.length).toBeGreaterThan(2);
      expect(found[0]).toEqual({ value: expect.any(Number), unit: 'Cel', time: expect.any(Number) });
      const { latest } = await mary.api.getThing({ params });
      expect(latest.temperature).toMatchObject({ unit: 'Cel' });
    });
  });

  it('hears the thing in a page, and sees there that it has done what is desired', async () => {
    app = await pageOf(mary);
    expect(await app.subscribe(`device/${thing}/sensor/+/v1`)).toBe('accepted');
    expect(await app.subscribe(`${shadow}/update/+`)).toBe('accepted');
    expect((await app.next(({ topic }) => topic.startsWith('device/'))).text).toContain('"value"');

    const { desired } = await mary.api.patchState({ params, body: { desired: { fan: 2 } } });

    expect(desired).toMatchObject({ fan: 2 });
    await app.next(({ topic, text }) => topic.endsWith('/accepted') && JSON.parse(text).state.reported?.fan === 2);
    const state = await mary.api.getState({ params });
    expect(state.reported).toMatchObject({ fan: 2 });
    expect(state.delta ?? {}).not.toHaveProperty('fan');
  });

  it('sets desired state from the page as well, and over REST only what nobody has changed since', async () => {
    const { version } = await mary.api.getState({ params });

    expect(await app.publish(`${shadow}/update`, JSON.stringify({ state: { desired: { fan: 3 } } }))).toBe('accepted');
    await app.next(({ topic, text }) => topic.endsWith('/accepted') && JSON.parse(text).state.reported?.fan === 3);

    const late = { params, headers: { 'if-match': `"${version}"` }, body: { desired: { fan: 0 } } };
    expect(await refusalOf(mary.api.patchState(late))).toBe(412);
    expect((await mary.api.getState({ params })).reported).toMatchObject({ fan: 3 });
  });

  it('gives a command, once, and gets its outcome from the device', async () => {
    const request = {
      params,
      headers: { 'idempotency-key': 'tuesday' },
      body: { name: 'water', payload: { litres: 2 } },
    };
    const given = await mary.api.giveCommand(request);
    expect((await mary.api.giveCommand(request)).id).toBe(given.id);

    const ended = await platform.soon(async () => {
      const found = await mary.api.getCommand({ params: { thing, command: given.id } });
      expect(found.state).toBe('EXECUTED');
      return found;
    });
    expect(ended).toMatchObject({ name: 'water', givenBy: mary.person, result: { poured: 2 } });

    const unknown = await mary.api.giveCommand({
      ...request,
      headers: { 'idempotency-key': 'wednesday' },
      body: { name: 'fly' },
    });
    await platform.soon(async () => {
      const found = await mary.api.getCommand({ params: { thing, command: unknown.id } });
      expect(found).toMatchObject({ state: 'REJECTED', reason: expect.stringContaining('fly') });
    });
    expect((await mary.api.listCommands({ params })).commands.map(({ id }) => id)).toEqual([unknown.id, given.id]);
  });
});

describe('somebody with whom it is shared', () => {
  it('accepts the invitation, once, and sees the thing', async () => {
    const { token } = await mary.api.inviteToThing({ params, body: { role: 'viewer' } });

    expect(await john.api.acceptInvitation({ body: { token } })).toMatchObject({ thing, role: 'viewer' });

    expect(await refusalOf(paul.api.acceptInvitation({ body: { token } }))).toBe(404);
    expect(await namesOf(john)).toEqual([thing]);
    expect((await mary.api.listThingGrants({ params })).grants.map(({ person }) => person).toSorted()).toEqual(
      [mary.person, john.person].toSorted(),
    );
  });

  it('reads as a viewer may, and changes nothing', async () => {
    expect((await john.api.getState({ params })).reported).toMatchObject({ fan: 3 });
    expect(await refusalOf(john.api.patchState({ params, body: { desired: { fan: 0 } } }))).toBe(403);
    const give = { params, headers: { 'idempotency-key': 'k' }, body: { name: 'water' } };
    expect(await refusalOf(john.api.giveCommand(give))).toBe(403);
    expect(await refusalOf(john.api.inviteToThing({ params, body: { role: 'owner' } }))).toBe(403);
  });

  it('hears the thing in a page too', async () => {
    phone = await pageOf(john);
    expect(await phone.subscribe(`device/${thing}/sensor/+/v1`)).toBe('accepted');
    expect((await phone.next()).topic).toBe(`device/${thing}/sensor/temperature/v1`);
  });
});

describe('the owner who gives it up', () => {
  it('has it no more, and nobody has who had it from them; their pages end', async () => {
    await mary.api.leaveThing({ params });

    for (const each of [mary, john]) {
      expect(await namesOf(each)).toEqual([]);
      expect(await refusalOf(each.api.getState({ params }))).toBe(404);
      expect(await refusalOf(readings(each.api, 0))).toBe(404);
    }
    await platform.idle();
    await Promise.all([app.closed, phone.closed]);
    for (const each of [mary, john]) {
      const again = await each.connect().catch(() => undefined);
      if (again) expect(await again.subscribe(`device/${thing}/sensor/+/v1`)).toBe('closed');
    }
  });

  it('leaves nothing to see to the next, who pairs with a new code', async () => {
    const code = await agents.pairingCode(device);
    const { visibleFrom } = await john.api.pair({ body: { code } });

    expect(await namesOf(john)).toEqual([thing]);
    expect((await john.api.listCommands({ params })).commands).toEqual([]);
    await platform.soon(async () => {
      const { readings: found = [] } = await readings(john.api, 0);
      expect(found.length).toBeGreaterThan(0);
      for (const { time } of found) expect(time).toBeGreaterThanOrEqual(visibleFrom);
    });
    expect(await refusalOf(mary.api.getThing({ params }))).toBe(404);
  });
});
