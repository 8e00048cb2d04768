/**
 * People who pair, share and give up things through the real handler of the routes, with rows in memory. Every call of a port can
 * be disturbed: `disturb` is called before and after it, and what it throws or awaits happens there.
 */
import { type GrantTarget, targetKey } from '@thingstead/contracts/grants';
import { PAIRING_SELECTOR_LENGTH } from '@thingstead/contracts/pairing';
import { pairingRoutes } from '@thingstead/contracts/routes/pairing';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import { accessTo } from '../../lambda/authorization/access.ts';
import type { Access } from '../../lambda/http/request.ts';
import { createRoutesHandler } from '../../lambda/http/routes-handler.ts';
import { pairingHandlers } from '../../lambda/pairing/handler.ts';
import type { Ports } from '../../lambda/pairing/ports.ts';
import { giveCode } from '../../lambda/pairing-codes/domain.ts';
import type { Ports as CodesPorts } from '../../lambda/pairing-codes/ports.ts';
import { PairingRows } from './pairing-rows.ts';

export const START = Date.UTC(2026, 10, 21, 12);
const MAX_WRONG = 10;
const WINDOW_MS = 600_000;

export type Operation = keyof typeof pairingRoutes;

export interface Request {
  readonly operation: Operation;
  readonly person: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly groups?: string;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly body: any;
  readonly headers: Readonly<Record<string, unknown>>;
}

export class PairingWorld {
  now = START;
  readonly rows = new PairingRows();
  readonly attempts = new Map<string, { wrong: number; windowEndsAt: number }>();
  /** Certificates by thing, with their status. */
  readonly certificates = new Map<string, Map<string, string>>();
  readonly forbidden = new Set<string>();
  readonly disconnected: string[] = [];
  /** What devices were answered, the last one at the end. */
  readonly answers: Record<string, unknown>[] = [];
  readonly reported: string[] = [];
  disturb: (point: string) => void | Promise<void> = () => {};
  /** Errors that were answered with 500. */
  readonly errors: unknown[] = [];
  #serial = 0;
  #random: () => number = Math.random;

  seed(random: () => number): void {
    this.#random = random;
  }

  /** One request, as the gateway hands it over. */
  async request({ operation, person, params = {}, body, groups }: Request): Promise<Answer> {
    const { method, path } = pairingRoutes[operation];
    const claims = { sub: person, token_use: 'access', ...(groups && { 'cognito:groups': `[${groups}]` }) };
    const event = {
      routeKey: `${method} ${path}`,
      pathParameters: params,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      requestContext: { requestId: `request-${this.#serial++}`, authorizer: { jwt: { claims } } },
    };
    const answer = await this.#handler()(event as unknown as APIGatewayProxyEventV2WithJWTAuthorizer);
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers ?? {},
      body: answer.body === undefined ? undefined : JSON.parse(answer.body),
    };
  }

  /** What REST says a person may do. */
  access(person: string, target: GrantTarget): Promise<Access | undefined> {
    return accessTo(person, target, { grants: { find: this.#find }, now: () => this.now });
  }

  /** A device asks for a code, and is answered. */
  async ask(thing: string, message: unknown = { id: `${this.#serial++}` }, at = this.now): Promise<void> {
    const payload = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)).toString('base64');
    await giveCode({ thing, at, payload }, this.codesPorts());
  }

  /** @throws Error when the device gets none */
  async code(thing: string): Promise<string> {
    await this.ask(thing);
    const { code, ...others } = this.answers.at(-1) ?? {};
    if (typeof code !== 'string') throw new Error(`${thing} got no code: ${JSON.stringify(others)}`);
    return code;
  }

  #handler() {
    return createRoutesHandler(pairingRoutes, pairingHandlers(this.ports()), {
      access: (person, target) => this.access(person, target),
      failed: ({ error }) => this.errors.push(error),
    });
  }

  readonly #call = async <T>(name: string, effect: () => T): Promise<T> => {
    await this.disturb(`before ${name}`);
    const result = effect();
    await this.disturb(`after ${name}`);
    return result;
  };

  readonly #find = (person: string, targets: readonly GrantTarget[]) =>
    this.#call('find', () => targets.flatMap((each) => this.rows.grants.get(`${person} ${targetKey(each)}`) ?? []));

  ports(): Ports {
    const { rows } = this;
    const call = this.#call;
    const membersOf = (holder: GrantTarget, of?: GrantTarget) =>
      [...rows.members.values()]
        .filter((each) => each.holder === targetKey(holder) && (!of || targetKey(of) === targetKey(each.of)))
        .map(({ holder: _, ...member }) => member);
    return {
      rows: {
        owner: (target) => call('owner', () => rows.owners.get(targetKey(target))),
        members: (holder, of) => call('members', () => membersOf(holder, of)),
        member: (holder, of, person) =>
          call('member', () => membersOf(holder, of).find((each) => each.person === person)),
        grant: (person, target) => call('grant', () => rows.grants.get(`${person} ${targetKey(target)}`)),
        grants: (person) => call('grants', () => [...rows.grants.values()].filter((each) => each.person === person)),
        turn: (person) => call('turn', () => rows.turns.get(person) ?? { turn: 0 }),
        ownedThings: (site) => call('ownedThings', () => rows.ownedThings.get(site) ?? 0),
        code: (selector) => call('code', () => rows.codes.get(selector)),
        codesOf: (thing) => call('codesOf', () => rows.shown.get(thing)?.hashes ?? []),
        commit: (changes) => call('commit', () => rows.commit(changes)),
      },
      attempts: {
        begin: (person, now) => call('begin', () => this.#begin(person, now)),
        undo: (person) =>
          call('undo', () => {
            const found = this.attempts.get(person);
            if (found && found.wrong > 0) found.wrong -= 1;
          }),
        take: (selector, now) =>
          call('take', () => {
            const code = rows.codes.get(selector);
            if (!code || code.endsAt <= now) return undefined;
            if (code.usedBy !== undefined) return code;
            if (code.attemptsLeft <= 0) return undefined;
            const taken = { ...code, attemptsLeft: code.attemptsLeft - 1 };
            rows.codes.set(selector, taken);
            return taken;
          }),
      },
      invitations: {
        find: (target, id) => call('find-invitation', () => rows.invitations.get(`${targetKey(target)} ${id}`)),
        all: (target) =>
          call('all-invitations', () =>
            [...rows.invitations].flatMap(([key, each]) => (key.startsWith(`${targetKey(target)} `) ? [each] : [])),
          ),
        put: (target, row) =>
          call('put-invitation', () => void rows.invitations.set(`${targetKey(target)} ${row.id}`, row)),
        remove: (target, id) => call('remove-invitation', () => rows.invitations.delete(`${targetKey(target)} ${id}`)),
      },
      devices: {
        certificates: (thing) =>
          call('certificates', () => {
            const ids = this.certificates.get(thing);
            return ids && [...ids.keys()];
          }),
        nextCertificate: (thing) => call('next', () => (thing.endsWith('-rotating') ? `next-of-${thing}` : undefined)),
        forbid: (id) => call('forbid', () => void this.forbidden.add(id)),
        revoke: (id) =>
          call('revoke', () => {
            if (!this.forbidden.has(id)) throw new Error(`${id} is revoked and not on the list`);
            for (const ids of this.certificates.values()) if (ids.has(id)) ids.set(id, 'REVOKED');
          }),
        disconnect: (thing) => call('disconnect', () => void this.disconnected.push(thing)),
      },
      directory: { exists: (person) => call('exists', () => !person.startsWith('nobody')) },
      reports: { done: (what) => void this.reported.push(what) },
      now: () => this.now,
      randomText: (bytes) => Buffer.from(`${this.#serial++}`.padStart(bytes, '0')).toString('base64url'),
    };
  }

  codesPorts(): CodesPorts {
    const { rows } = this;
    const call = this.#call;
    return {
      registry: { exists: (thing) => call('exists', () => !thing.startsWith('nothing')) },
      codes: {
        hasOwner: (target) => call('owner', () => rows.owners.has(targetKey(target))),
        shown: (thing) => call('shown', () => rows.shown.get(thing)),
        put: ({ selector, row, shown, before, now }) =>
          call('put-code', () => {
            const known = rows.codes.get(selector);
            if (known && known.endsAt > now && known.attemptsLeft > 0) return false;
            if (JSON.stringify(rows.shown.get(row.thing)) !== JSON.stringify(before)) return false;
            rows.codes.set(selector, row);
            rows.shown.set(row.thing, shown);
            return true;
          }),
      },
      answers: {
        accepted: (thing, id, code, expiresAt) =>
          call('answer', () => void this.answers.push({ thing, id, code, expiresAt })),
        rejected: (thing, id, error, reason) =>
          call('answer', () => void this.answers.push({ thing, id, error, reason })),
      },
      reports: { given: () => {}, rejected: () => {} },
      now: () => this.now,
      randomBelow: (limit) => Math.floor(this.#random() * limit),
    };
  }

  #begin(person: string, now: number): Awaited<ReturnType<Ports['attempts']['begin']>> {
    const found = this.attempts.get(person);
    const wrong = found && found.windowEndsAt > now ? found.wrong : 0;
    if (found && wrong >= MAX_WRONG) return { allowed: false, until: found.windowEndsAt };
    this.attempts.set(person, { wrong: wrong + 1, windowEndsAt: now + WINDOW_MS });
    return { allowed: true };
  }

  /** Another code than this one, with the same first characters or with others. */
  wrongCode(code: string, sameSelector: boolean): string {
    const other = (letter: string | undefined) => (letter === 'A' ? 'C' : 'A');
    return sameSelector
      ? `${code.slice(0, -1)}${other(code.at(-1))}`
      : [...code].map((letter, at) => (at < PAIRING_SELECTOR_LENGTH ? other(letter) : letter)).join('');
  }
}
