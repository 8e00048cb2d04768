/** What Alexa is told, in memory: by whom it may be known, in which order, and what becomes of it when something fails. */
import { type GrantRow, type GrantTarget, grantKey, targetKey } from '../../contracts/src/grants.ts';
import type { AlexaLinkRow, ReportedRow, VoiceReport, VoiceThingRow } from '../../contracts/src/voice.ts';
import type { AlexaTokens, Login } from '../../lambda/voice/ports.ts';
import { createHandler } from '../../lambda/voice-reports/handler.ts';
import type { Ports, Posted, ReportQueue } from '../../lambda/voice-reports/ports.ts';
import { readReport } from '../support/alexa-message.ts';
import { lamp, START } from './voice-world.ts';

const HOUR = 3_600_000;

class World {
  now = START;
  readonly grants: GrantRow[] = [];
  readonly things = new Map<string, VoiceThingRow>([['lamp', lamp('lamp')]]);
  readonly links = new Map<string, AlexaLinkRow & { tokens: AlexaTokens }>();
  readonly reported = new Map<string, ReportedRow>();
  readonly posted: { readonly token: string; readonly name: string; readonly changed?: unknown }[] = [];
  readonly queued: VoiceReport[] = [];
  readonly unlinked: string[] = [];
  /** People whom the index of grants has though their grants are gone. */
  readonly indexed: string[] = [];
  /** What the gateway says to the next posts. */
  readonly answers: Posted[] = [];
  /** Fails once: the call of this name, before or after its effect. */
  crash: { readonly call: string; readonly after: boolean } | undefined;
  login: Login = { ok: true, tokens: { accessToken: 'new', refreshToken: 'refresh', endsAt: START + 9 * HOUR } };
  readonly handler = createHandler(this.#ports());

  link(person: string, endsAt = START + HOUR): void {
    const tokens = { accessToken: `token of ${person}`, refreshToken: 'refresh', endsAt };
    const nothing = new Uint8Array();
    const row = {
      person,
      linkId: `link of ${person}`,
      accessToken: nothing,
      refreshToken: nothing,
      endsAt,
      linkedAt: 0,
    };
    this.links.set(person, { ...row, tokens });
  }

  grant(person: string, target: GrantTarget = { kind: 'thing', name: 'lamp' }): void {
    const row = { person, target: targetKey(target), role: 'viewer' as const, visibleFrom: 0, grantedBy: person };
    this.grants.push({ ...grantKey(person, target), ...row, grantedAt: START });
  }

  /** Delivers messages; gives how many of them come again. */
  async deliver(...reports: readonly (VoiceReport | string)[]): Promise<number> {
    const Records = reports.map((report, index) => ({
      messageId: `${index}`,
      body: typeof report === 'string' ? report : JSON.stringify(report),
    }));
    return (await this.handler({ Records } as never)).batchItemFailures.length;
  }

  #ports(): Ports & { readonly queue: ReportQueue } {
    const ports: Ports & { readonly queue: ReportQueue } = {
      grants: {
        find: async (person, targets) =>
          this.grants.filter((row) => row.person === person && targets.map(targetKey).includes(row.target)),
      },
      people: {
        people: async (target) =>
          this.grants
            .filter((row) => row.target === targetKey(target))
            .map(({ person }) => person)
            .concat(this.indexed),
      },
      things: {
        read: async (thing) => this.things.get(thing),
        readMany: async (names) => names.flatMap((name) => this.things.get(name) ?? []),
        namesOfSite: async (site) => [...this.things.keys()].filter((name) => name.startsWith(`${site}-`)),
      },
      links: {
        find: async (person) => this.links.get(person),
        open: async ({ person }) => this.links.get(person)?.tokens ?? fail('no such link'),
        renew: async ({ person }, tokens) => {
          const link = this.links.get(person);
          if (link) this.links.set(person, { ...link, tokens });
        },
        remove: async ({ person }) => {
          this.links.delete(person);
        },
        forget: async (person) => {
          for (const key of this.reported.keys()) if (key.startsWith(`${person} `)) this.reported.delete(key);
        },
      },
      reported: {
        last: async (person, thing) => this.reported.get(`${person} ${thing}`),
        write: async (person, thing, row) => {
          this.reported.set(`${person} ${thing}`, row);
        },
        forget: async (person, thing) => {
          this.reported.delete(`${person} ${thing}`);
        },
      },
      authorizations: { refresh: async () => this.login },
      gateway: {
        post: async (message, token) => {
          const answer = this.answers.shift() ?? { outcome: 'accepted' };
          if (answer.outcome !== 'accepted') return answer;
          const { event } = readReport(message);
          const changed = event.payload.change?.properties.map((each: { value: unknown }) => each.value);
          this.posted.push({ token, name: event.header.name, ...(changed && { changed }) });
          return answer;
        },
      },
      queue: { send: async (reports) => void this.queued.push(...reports) },
      reports: {
        sent: () => undefined,
        unlinked: (person) => this.unlinked.push(person),
        failed: () => undefined,
      },
      now: () => this.now,
      newId: () => 'id',
    };
    return this.#crashing(ports);
  }

  /** Each call may be the one that dies. */
  #crashing<T extends object>(ports: T): T {
    const wrapped = Object.entries(ports).map(([name, port]) => {
      if (typeof port !== 'object' || name === 'reports') return [name, port];
      const calls = Object.entries(port as object).map(([call, run]) => [
        call,
        async (...given: readonly unknown[]) => {
          const dies = this.crash?.call === `${name}.${call}` ? this.crash : undefined;
          if (dies) this.crash = undefined;
          if (dies && !dies.after) throw new Error(`cut off at ${name}.${call}`);
          const result = await (run as (...all: readonly unknown[]) => Promise<unknown>)(...given);
          if (dies) throw new Error(`cut off after ${name}.${call}`);
          return result;
        },
      ]);
      return [name, Object.fromEntries(calls)];
    });
    return Object.fromEntries(wrapped);
  }
}

function fail(reason: string): never {
  throw new Error(reason);
}

/** The shadow of the lamp has changed: at version 2 power, at version 3 brightness... */
function change(
  version: number,
  reported: Readonly<Record<string, unknown>>,
  more: { readonly previous?: object; readonly desired?: object; readonly seconds?: number } = {},
): VoiceReport {
  const timestamp = START / 1000 + (more.seconds ?? version);
  return {
    ...{ kind: 'shadow', thing: 'lamp', timestamp },
    previous: { state: { reported: { power: false, ...more.previous } } },
    current: { version, state: { reported, ...(more.desired && { desired: { ...more.desired } }) } },
  };
}

const grantOf = (person: string, target: string): VoiceReport => ({ kind: 'grant', person, target });

let world: World;

beforeEach(() => {
  world = new World();
  world.link('mary');
  world.grant('mary');
});

describe('a change', () => {
  it('is told to everybody who may know it and has linked, and to nobody else', async () => {
    world.grant('john');
    world.link('anne');
    world.things.set('farm-1', lamp('farm-1'));

    expect(await world.deliver(change(2, { power: true }))).toBe(0);

    expect(world.posted).toEqual([{ token: 'token of mary', name: 'ChangeReport', changed: ['ON'] }]);
  });

  it('is told once, however often it comes', async () => {
    await world.deliver(change(2, { power: true }));
    await world.deliver(change(2, { power: true }), change(2, { power: true }));

    expect(world.posted).toHaveLength(1);
  });

  it('is not told after a later one', async () => {
    await world.deliver(change(3, { power: false }, { previous: { power: true } }));
    await world.deliver(change(2, { power: true }));

    expect(world.posted).toMatchObject([{ changed: ['OFF'] }]);
  });

  it('is told of a thing that was made anew, whose versions begin again', async () => {
    await world.deliver(change(900, { power: true }, { seconds: 10 }));
    await world.deliver(change(2, { power: true }, { seconds: 20 }));

    expect(world.posted).toHaveLength(2);
  });

  it.each([
    ['of something that Alexa cannot know', change(2, { power: false, rssi: -40 })],
    ['of something that the thing does not have', change(2, { power: false, motion: true })],
    ['to something that means nothing', change(2, { power: 'perhaps' })],
  ])('%s is not told', async (_, report) => {
    expect(await world.deliver(report)).toBe(0);
    expect(world.posted).toEqual([]);
  });

  it('is not told of a thing that has not described itself', async () => {
    world.things.clear();

    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted).toEqual([]);
  });

  it('is not told to somebody whom the index still has, and whose grant is gone', async () => {
    world.grants.length = 0;
    world.indexed.push('mary');

    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted).toEqual([]);
  });

  it('that fails for one is told to the others, and comes again for that one alone', async () => {
    world.link('john');
    world.grant('john');
    world.answers.push({ outcome: 'failed', reason: '503' });

    expect(await world.deliver(change(2, { power: true }))).toBe(1);
    expect(world.posted).toHaveLength(1);
    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted.map(({ token }) => token).sort()).toEqual(['token of john', 'token of mary']);
  });
});

describe('tokens', () => {
  it('that end within a minute are renewed first', async () => {
    world.link('mary', START + 60_000);

    await world.deliver(change(2, { power: true }));

    expect(world.posted).toMatchObject([{ token: 'new' }]);
    expect(world.links.get('mary')?.tokens.accessToken).toBe('new');
  });

  it('that the gateway does not take are renewed once; then the report comes again', async () => {
    world.answers.push({ outcome: 'unauthorized' }, { outcome: 'unauthorized' });

    expect(await world.deliver(change(2, { power: true }))).toBe(1);
    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted).toMatchObject([{ token: 'new' }]);
  });

  it.each([
    ['the skill is disabled', () => world.answers.push({ outcome: 'disabled' })],
    [
      'Amazon refuses the refresh token',
      () => {
        world.link('mary', START);
        world.login = { ok: false, refused: 'invalid_grant' };
      },
    ],
  ])('are removed when %s, and nothing comes again', async (_, happens) => {
    happens();

    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.links.size).toBe(0);
    expect(world.unlinked).toEqual(['mary']);
    expect(world.reported.size).toBe(0);
  });

  it('are removed when the person has left', async () => {
    await world.deliver({ kind: 'person-left', person: 'mary' }, { kind: 'person-left', person: 'nobody' });

    expect(world.links.size).toBe(0);
  });
});

describe('a grant', () => {
  it('that is there adds the thing, whatever the message was about', async () => {
    await world.deliver(grantOf('mary', 'thing#lamp'), grantOf('mary', 'thing#lamp'));

    expect(world.posted.map(({ name }) => name)).toEqual(['AddOrUpdateReport', 'AddOrUpdateReport']);
  });

  it('that is gone takes the thing away, unless the site still gives it', async () => {
    world.things.set('farm-1', lamp('farm-1'));
    world.grants.length = 0;
    world.grant('mary', { kind: 'site', name: 'farm' });

    await world.deliver(grantOf('mary', 'thing#lamp'));
    await world.deliver(grantOf('mary', 'thing#farm-1'));

    expect(world.posted.map(({ name }) => name)).toEqual(['DeleteReport', 'AddOrUpdateReport']);
  });

  it('for a site is about all its things', async () => {
    for (const name of ['farm-1', 'farm-2']) world.things.set(name, lamp(name));
    await world.deliver(grantOf('mary', 'site#farm'));
    world.grant('mary', { kind: 'site', name: 'farm' });
    await world.deliver(grantOf('mary', 'site#farm'));

    expect(world.posted.map(({ name }) => name)).toEqual(['DeleteReport', 'AddOrUpdateReport']);
  });

  it('of somebody whose link is gone takes away what they were told', async () => {
    await world.deliver(change(2, { power: true }));
    world.links.clear();
    await world.deliver(grantOf('mary', 'thing#lamp'));

    expect(world.reported.size).toBe(0);
  });

  it('of somebody who has not linked is nobody’s business', async () => {
    world.grant('john');

    expect(await world.deliver(grantOf('john', 'thing#lamp'))).toBe(0);
    expect(world.posted).toEqual([]);
  });
});

describe('the stream', () => {
  const record = (eventName: string, pk: string, sk: string) => ({
    eventName,
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
  });

  it('of the access table becomes messages: which grant to look at, and who has left', async () => {
    const Records = [
      record('INSERT', 'person#mary', 'grant#thing#lamp'),
      record('REMOVE', 'person#mary', 'grant#site#farm'),
      record('MODIFY', 'person#mary', 'profile'),
      record('REMOVE', 'person#john', 'profile'),
    ];

    expect(await world.handler({ Records } as never)).toEqual({ batchItemFailures: [] });

    expect(world.queued).toEqual([
      { kind: 'grant', person: 'mary', target: 'thing#lamp' },
      { kind: 'grant', person: 'mary', target: 'site#farm' },
      { kind: 'person-left', person: 'john' },
    ]);
  });
});

describe('cut off at any call', () => {
  const calls = [
    ...['people.people', 'links.find', 'links.open', 'things.read', 'grants.find', 'reported.last'],
    ...['authorizations.refresh', 'links.renew', 'gateway.post', 'reported.write'],
  ];

  it.each(calls.flatMap((call) => [false, true].map((after) => ({ call, after }))))(
    'a change comes again and is told: $call, after its effect: $after',
    async (crash) => {
      world.link('mary', START);
      world.crash = crash;

      expect(await world.deliver(change(2, { power: true }))).toBe(1);
      expect(world.crash).toBeUndefined();
      await world.deliver(change(2, { power: true }));

      // Twice only when the answer of the gateway, or that it was told, was lost.
      const twice = (crash.call === 'gateway.post' && crash.after) || (crash.call === 'reported.write' && !crash.after);
      expect(world.posted).toHaveLength(twice ? 2 : 1);
      expect(world.reported.get('mary lamp')).toMatchObject({ version: 2 });
    },
  );
});

it.each(['no JSON', '{}', '{"kind":"grant","person":"mary","target":"owner"}'])(
  '%s comes again and ends in the queue of failures',
  async (body) => {
    expect(await world.deliver(body, change(2, { power: true }))).toBe(1);
    expect(world.posted).toHaveLength(1);
  },
);
