/** The function of reports in memory: people with links and grants, things, and a gateway that takes what Alexa would take. */
import { type GrantRow, type GrantTarget, grantKey, targetKey } from '../../contracts/src/grants.ts';
import type { AlexaLinkRow, ReportedRow, VoiceReport, VoiceThingRow } from '../../contracts/src/voice.ts';
import type { AlexaTokens, Login } from '../../lambda/voice/ports.ts';
import { createHandler } from '../../lambda/voice-reports/handler.ts';
import type { Ports, Posted, ReportQueue } from '../../lambda/voice-reports/ports.ts';
import { readReport } from '../support/alexa-message.ts';
import { lamp, START } from './voice-world.ts';

const HOUR = 3_600_000;

export class ReportsWorld {
  now = START;
  readonly grants: GrantRow[] = [];
  readonly things = new Map<string, VoiceThingRow>([['lamp', lamp('lamp')]]);
  readonly links = new Map<string, AlexaLinkRow & { tokens: AlexaTokens }>();
  readonly reported = new Map<string, ReportedRow>();
  readonly posted: { readonly token: string; readonly name: string; readonly changed?: unknown }[] = [];
  /** What was posted, as a whole. */
  readonly messages: ReturnType<typeof readReport>[] = [];
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
          this.messages.push(message);
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
export function change(
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

/** A grant of somebody's has come or gone: `thing#lamp`. */
export const grantOf = (person: string, target: string): VoiceReport => ({ kind: 'grant', person, target });
