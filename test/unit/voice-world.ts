/** Alexa's function in memory: people with tokens, grants, things, shadows that devices answer at their own pace, and a clock. */
import { type GrantRow, type GrantTarget, grantKey, type Role, targetKey } from '../../contracts/src/grants.ts';
import type { VoiceThingRow } from '../../contracts/src/voice.ts';
import type { Sample } from '../../lambda/alexa/properties.ts';
import { createHandler } from '../../lambda/voice/handler.ts';
import type { Login, Ports, SensorReading, ShadowDocument, Verified } from '../../lambda/voice/ports.ts';
import { readAnswer } from '../support/alexa-message.ts';

export const START = Date.UTC(2026, 10, 21, 12);

/** A lamp as it describes itself. */
export function lamp(thing: string, more: Partial<VoiceThingRow> = {}): VoiceThingRow {
  return {
    ...{ thing, model: 'lamp', serial: 'L-1', firmwareVersion: '1.0.0' },
    sensors: [],
    capabilities: ['power', 'brightness'],
    presence: { connected: true },
    ...more,
  };
}

interface Shadow {
  version: number;
  readonly reported: Map<string, Sample>;
  readonly desired: Map<string, Sample>;
}

export class VoiceWorld {
  now = START;
  readonly grants: GrantRow[] = [];
  readonly things = new Map<string, VoiceThingRow>();
  readonly shadows = new Map<string, Shadow>();
  readonly readings = new Map<string, SensorReading>();
  readonly links: { readonly person: string; readonly linkId: string }[] = [];
  readonly cut: string[] = [];
  readonly failures: unknown[] = [];
  login: Login = { ok: true, tokens: { accessToken: 'Atza|1', refreshToken: 'Atzr|1', endsAt: START + 3_600_000 } };
  /** What happens at a time. */
  readonly #plans: { readonly at: number; readonly run: () => void }[] = [];
  /** Called after each wish that a shadow takes. */
  asked: (thing: string, member: string, value: unknown) => void = () => undefined;
  readonly ports: Ports = this.#ports();
  readonly #ids = { next: 0 };

  /** What the function answers; Alexa would take it. */
  async invoke(directive: object): Promise<ReturnType<typeof readAnswer>> {
    return readAnswer(await createHandler(this.ports)({ directive }));
  }

  /** A directive to an endpoint, of whoever this token is: `token of mary`. */
  to(
    thing: string,
    name: string,
    {
      person = 'mary',
      payload = {},
      token = `token of ${person}`,
    }: { person?: string; payload?: object; token?: string } = {},
  ) {
    const [, namespace = '', operation = ''] = /^(.*)\.(\w+)$/.exec(name) ?? [];
    return this.invoke({
      header: { namespace, name: operation, payloadVersion: '3', messageId: 'm-1', correlationToken: 'correlation' },
      endpoint: { scope: { type: 'BearerToken', token }, endpointId: thing, cookie: {} },
      payload,
    });
  }

  discover(person = 'mary') {
    return this.invoke({
      header: { namespace: 'Alexa.Discovery', name: 'Discover', payloadVersion: '3', messageId: 'm-1' },
      payload: { scope: { type: 'BearerToken', token: `token of ${person}` } },
    });
  }

  acceptGrant(token: string, code = 'code') {
    return this.invoke({
      header: { namespace: 'Alexa.Authorization', name: 'AcceptGrant', payloadVersion: '3', messageId: 'm-1' },
      payload: { grant: { type: 'OAuth2.AuthorizationCode', code }, grantee: { type: 'BearerToken', token } },
    });
  }

  grant(person: string, target: GrantTarget, role: Role = 'owner', more: Partial<GrantRow> = {}): void {
    this.grants.push({
      ...grantKey(person, target),
      ...{ person, target: targetKey(target), role, visibleFrom: START - 1000, grantedBy: person, grantedAt: START },
      ...more,
    });
  }

  /** A lamp of mary's that has told its state. */
  addLamp(thing: string, reported: Readonly<Record<string, unknown>> = { power: false, brightness: 40 }): void {
    this.things.set(thing, lamp(thing));
    this.grant('mary', { kind: 'thing', name: thing });
    this.report(thing, reported);
  }

  report(thing: string, members: Readonly<Record<string, unknown>>): void {
    const shadow = this.#shadow(thing);
    for (const [name, value] of Object.entries(members)) shadow.reported.set(name, { value, at: this.#second() });
    shadow.version += 1;
  }

  desire(thing: string, member: string, value: unknown): void {
    const shadow = this.#shadow(thing);
    if (value === undefined) shadow.desired.delete(member);
    else shadow.desired.set(member, { value, at: this.#second() });
    shadow.version += 1;
  }

  desired(thing: string, member: string): unknown {
    return this.shadows.get(thing)?.desired.get(member)?.value;
  }

  after(milliseconds: number, run: () => void): void {
    this.#plans.push({ at: this.now + milliseconds, run });
  }

  #pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (const plan of this.#plans.filter(({ at }) => at > this.now && at <= end).sort((a, b) => a.at - b.at)) {
      this.now = plan.at;
      plan.run();
    }
    this.now = end;
  }

  #second(): number {
    return Math.floor(this.now / 1000) * 1000;
  }

  #shadow(thing: string): Shadow {
    const shadow = this.shadows.get(thing) ?? { version: 0, reported: new Map(), desired: new Map() };
    this.shadows.set(thing, shadow);
    return shadow;
  }

  #ports(): Ports {
    const copy = ({ version, reported, desired }: Shadow): ShadowDocument => ({
      version,
      reported: new Map(reported),
      desired: new Map(desired),
    });
    return {
      tokens: { verify: async (token) => verified(token) },
      grants: {
        find: async (person, targets) =>
          this.grants.filter((row) => row.person === person && targets.map(targetKey).includes(row.target)),
        all: async (person) => this.grants.filter((row) => row.person === person),
      },
      things: {
        read: async (thing) => this.things.get(thing),
        readMany: async (names) => names.flatMap((name) => this.things.get(name) ?? []),
        namesOfSite: async (site, limit) =>
          [...this.things.keys()]
            .filter((name) => name.startsWith(`${site}-`))
            .sort()
            .slice(0, limit),
      },
      shadows: {
        read: async (thing) => {
          const shadow = this.shadows.get(thing);
          return shadow && copy(shadow);
        },
        setDesired: async (thing, member, value, version) => {
          if (version !== undefined && this.#shadow(thing).version !== version) return undefined;
          this.desire(thing, member, value);
          if (value !== undefined) this.asked(thing, member, value);
          return this.#second();
        },
      },
      readings: { latest: async (thing, sensor) => this.readings.get(`${thing} ${sensor}`) },
      authorizations: { exchange: async () => this.login },
      links: {
        put: async (person, linkId) => {
          this.links.push({ person, linkId });
        },
      },
      reports: {
        answered: () => undefined,
        cut: (person) => this.cut.push(person),
        linked: () => undefined,
        failed: (_, error) => this.failures.push(error),
      },
      now: () => this.now,
      pause: async (milliseconds) => this.#pass(milliseconds),
      newId: () => {
        this.#ids.next += 1;
        return `id-${this.#ids.next}`;
      },
    };
  }
}

function verified(token: string): Verified {
  if (token === 'expired') return { ok: false, reason: 'expired' };
  const person = /^token of (\w+)$/.exec(token)?.[1];
  return person === undefined ? { ok: false, reason: 'invalid' } : { ok: true, person };
}
