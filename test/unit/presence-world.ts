/**
 * A world in which things connect, lose the connection and take it over, with AWS IoT's life-cycle events, last wills and
 * shadows as AWS documents them: late, twice, out of order, one of each transition lost, version numbers that begin at 0
 * again, clocks that are two minutes off. It knows what is true, and every notice that went out.
 */
import type { SQSEvent } from 'aws-lambda';
import type { Notice, PendingNotice } from '../../contracts/src/notices.ts';
import type { PresenceRow, PresenceSettings } from '../../contracts/src/presence.ts';
import { createHandler } from '../../lambda/presence/handler.ts';
import type { Connection, IndexEntries, PendingThing, Ports } from '../../lambda/presence/ports.ts';
import { seededRandom } from '../../local/src/faults/random.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const START = Date.UTC(2026, 10, 21);
/** SQS gives a message that failed again after so long. */
const VISIBILITY_MS = 60 * SECOND;
const MAX_RECEIVES = 5;
/** A client id whose connection is away for so long gets version 0 again. */
const VERSION_RESET_MS = 60 * MINUTE;

export interface Noise {
  readonly seed: number;
  /** Longest delay of a message, and error of AWS's clocks, in milliseconds. */
  readonly maxDelayMs: number;
  readonly maxSkewMs: number;
  /** Probabilities. */
  readonly duplicate: number;
  readonly lose: number;
  readonly willConflict: number;
  /** That a call of a port fails, before or after it has had its effect. */
  readonly crash: number;
}

export const QUIET: Noise = { seed: 1, maxDelayMs: 0, maxSkewMs: 0, duplicate: 0, lose: 0, willConflict: 0, crash: 0 };

export type Action = 'connect' | 'end' | 'kill' | 'take-over';

interface Client {
  connected: boolean;
  since: number;
  reason: string | undefined;
  session: string;
  version: number;
  shadow: { connected: boolean; session: string; version: number; at: number } | undefined;
}

/** Reports nothing and has no last will: `mosquitto_pub`. */
export const BARE = 'bare';

export interface TrueOutage {
  readonly from: number;
  to: number | undefined;
  offlineNotices: number;
  onlineNotices: number;
}

interface StoredRow {
  row: PresenceRow;
  indexes: IndexEntries;
}

class CrashError extends Error {}

export class PresenceWorld extends VirtualTime {
  readonly settings: PresenceSettings;
  readonly notices: Notice[] = [];
  readonly violations: string[] = [];
  readonly outages = new Map<string, TrueOutage[]>();
  readonly deadLetters: string[] = [];
  readonly rows = new Map<string, StoredRow>();
  /** When the last reading of a thing arrived. */
  readonly readings = new Map<string, number>();
  readonly #noise: Noise;
  readonly #clients = new Map<string, Client>();
  readonly #noticeRows = new Map<string, PendingNotice>();
  readonly #sent = new Set<string>();
  readonly #handle: ReturnType<typeof createHandler>;
  #serial = 0;
  #random: () => number;
  #crashing = false;

  constructor(noise: Noise = QUIET, settings: Partial<PresenceSettings> = {}, change?: (ports: Ports) => Ports) {
    super(START);
    this.settings = { offlineDelaySeconds: 900, groupWindowSeconds: 60, thingTypes: {}, ...settings };
    this.#noise = noise;
    this.#random = seededRandom(noise.seed);
    const ports = this.#ports();
    this.#handle = createHandler(change ? change(ports) : ports);
  }

  // What happens to devices.

  act(thing: string, action: Action): void {
    const client = this.#client(thing);
    if (action === 'connect' || action === 'take-over') this.#connect(thing, client);
    else if (client.connected && action === 'end') this.#end(thing, client);
    else if (client.connected) this.#lose(thing, client, 'CONNECTION_LOST');
  }

  /** The next CONNECT of each of these begins a new run of version numbers only if they were away for an hour. */
  isConnected(thing: string): boolean {
    return this.#client(thing).connected;
  }

  shadow(thing: string): boolean | undefined {
    return this.#client(thing).shadow?.connected;
  }

  presence(thing: string): PresenceRow['presence'] {
    return this.rows.get(thing)?.row.presence;
  }

  mute(thing: string, until: number): void {
    const stored = this.rows.get(thing);
    if (stored) stored.row = { ...stored.row, mutedUntil: until };
  }

  describe(thing: string, members: Pick<PresenceRow, 'thingType' | 'gateway'>, dueAt?: number): void {
    const due = dueAt === undefined ? undefined : { shard: shardOf(thing), dueAt };
    const row = { ...this.rows.get(thing)?.row, ...members, ...(dueAt !== undefined && { dueAt }) };
    this.rows.set(thing, { row, indexes: { pending: undefined, due, basis: {} } });
  }

  /** Puts a message on the function's queue. */
  send(message: unknown, delayMs = 0): void {
    this.#enqueue(JSON.stringify(message), delayMs);
  }

  /** Ends all harm, so that what is left comes to rest. */
  calm(): void {
    this.#crashing = false;
  }

  startHarm(): void {
    this.#crashing = this.#noise.crash > 0;
  }

  // As AWS IoT does it.

  #client(thing: string): Client {
    const client = this.#clients.get(thing) ?? {
      connected: false,
      since: START - 2 * VERSION_RESET_MS,
      reason: undefined,
      session: '',
      version: 0,
      shadow: undefined,
    };
    this.#clients.set(thing, client);
    return client;
  }

  #connect(thing: string, client: Client): void {
    const before = { ...client };
    const away = client.connected ? 0 : this.now - client.since;
    client.version = away >= VERSION_RESET_MS ? 0 : client.version + 1;
    client.session = `session-${this.#serial++}`;
    client.connected = true;
    client.since = this.now;
    client.reason = undefined;
    const lost = this.#loses(3);
    if (before.connected) {
      const will = { session: before.session };
      const event = this.#event(thing, before, 'disconnected', 'DUPLICATE_CLIENTID');
      this.#transition([() => this.send(event), () => this.#will(thing, client, will)], this.#loses(2));
    } else this.#endOutage(thing);
    const connected = this.#event(thing, client, 'connected');
    this.#tell(() => this.send(connected), lost === 0);
    this.#report(thing, client, true, client.session, lost === 1);
  }

  #end(thing: string, client: Client): void {
    const lost = this.#loses(2);
    this.#report(thing, client, false, client.session, lost === 0);
    this.#disconnect(thing, client, 'CLIENT_INITIATED_DISCONNECT');
    const event = this.#event(thing, client, 'disconnected', 'CLIENT_INITIATED_DISCONNECT');
    this.#tell(() => this.send(event), lost === 1);
  }

  #lose(thing: string, client: Client, reason: string): void {
    this.#disconnect(thing, client, reason);
    const will = { session: client.session };
    const event = this.#event(thing, client, 'disconnected', reason);
    this.#transition([() => this.send(event), () => this.#will(thing, client, will)], this.#loses(2));
  }

  #disconnect(thing: string, client: Client, reason: string): void {
    client.connected = false;
    client.since = this.now;
    client.reason = reason;
    const outages = this.outages.get(thing) ?? [];
    this.outages.set(thing, [...outages, { from: this.now, to: undefined, offlineNotices: 0, onlineNotices: 0 }]);
  }

  #endOutage(thing: string): void {
    const outage = this.outages.get(thing)?.at(-1);
    if (outage) outage.to ??= this.now;
  }

  /** The rule on last wills: only over the session that the shadow names, and only over the version it has read. */
  #will(thing: string, client: Client, { session }: { readonly session: string }): void {
    if (client.shadow?.session !== session || thing === BARE) return;
    if (this.#chance(this.#noise.willConflict)) this.send({ kind: 'will-rejected', thing });
    else this.#report(thing, client, false, session, false);
  }

  #report(thing: string, client: Client, connected: boolean, session: string, lost: boolean): void {
    if (thing === BARE) return;
    this.#setShadow(thing, client, connected, session);
    const { version = 0, at = 0 } = client.shadow ?? {};
    const seenAt = Math.floor((at + this.#skew()) / SECOND) * SECOND;
    this.#tell(() => this.send({ kind: 'shadow', thing, connected, session, version, at: seenAt }), lost);
    // The agent sees itself disconnected and says that it is not so.
    if (!connected && client.connected) {
      this.schedule(200, () => {
        if (client.connected && client.shadow && !client.shadow.connected) {
          this.#report(thing, client, true, client.session, false);
        }
      });
    }
  }

  #setShadow(_thing: string, client: Client, connected: boolean, session: string): void {
    client.shadow = { connected, session, version: (client.shadow?.version ?? 0) + 1, at: this.now };
  }

  #event(thing: string, { session, version }: Client, eventType: string, reason?: string): unknown {
    const at = this.now + this.#skew();
    return { kind: 'life-cycle', thing, eventType, session: `aws-${session}`, version, at, ...(reason && { reason }) };
  }

  #transition(parts: readonly (() => void)[], lost: number): void {
    for (const [index, part] of parts.entries()) this.#tell(part, index === lost);
  }

  /** Late, twice, or not at all. */
  #tell(part: () => void, lost: boolean): void {
    if (lost) return;
    const times = this.#chance(this.#noise.duplicate) ? 2 : 1;
    for (let time = 0; time < times; time += 1)
      this.schedule(Math.round(this.#random() * this.#noise.maxDelayMs), part);
  }

  /** Which of `count` messages gets lost; -1 for none. */
  #loses(count: number): number {
    return this.#chance(this.#noise.lose) ? Math.floor(this.#random() * count) : -1;
  }

  #skew(): number {
    return Math.round((this.#random() * 2 - 1) * this.#noise.maxSkewMs);
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  // The queue and its function.

  #enqueue(body: string, delayMs: number): void {
    const messageId = `message-${this.#serial++}`;
    const copies = this.#chance(this.#noise.duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#deliver(messageId, body, delayMs, 1);
  }

  #deliver(messageId: string, body: string, delayMs: number, receives: number): void {
    this.schedule(delayMs, async () => {
      const again = (): void => {
        if (receives >= MAX_RECEIVES) this.deadLetters.push(body);
        else this.#deliver(messageId, body, VISIBILITY_MS, receives + 1);
      };
      // Two invocations at a time, if something else is due at this moment.
      const failed = await this.#invoke(messageId, body);
      if (failed) again();
    });
  }

  async #invoke(messageId: string, body: string): Promise<boolean> {
    // Only what the handler reads of a record is there.
    const event = { Records: [{ messageId, body }] } as unknown as SQSEvent;
    try {
      const { batchItemFailures } = await this.#handle(event);
      return batchItemFailures.length > 0;
    } catch (error) {
      if (error instanceof CrashError) return true;
      throw error;
    }
  }

  // The ports, in memory.

  /** The environment dies before or after the effect: what is thrown then, nobody catches but Lambda. */
  async #call<Result>(effect: () => Result): Promise<Result> {
    const crashes = this.#crashing && this.#chance(this.#noise.crash);
    if (crashes && this.#random() < 0.5) throw new CrashError('before');
    const result = effect();
    await Promise.resolve();
    if (crashes) throw new CrashError('after');
    return result;
  }

  #ports(): Ports {
    return {
      settings: this.settings,
      now: () => this.now,
      reports: { changed: () => {}, repaired: () => {}, announced: () => {}, failed: () => {} },
      readings: { lastArrival: (thing) => this.#call(() => this.readings.get(thing)) },
      broker: { connection: (clientId) => this.#call(() => this.#connection(clientId)) },
      shadows: {
        reported: (thing) => this.#call(() => this.#client(thing).shadow),
        correct: (thing, connected, version) => this.#call(() => this.#correct(thing, connected, version)),
      },
      checks: { send: (check, delaySeconds) => this.#call(() => this.send(check, delaySeconds * SECOND)) },
      notices: { send: (notice) => this.#call(() => this.#announce(notice)) },
      things: {
        read: (thing) => this.#call(() => this.rows.get(thing)?.row),
        write: (thing, presence, indexes) =>
          this.#call(() => {
            const stored = this.rows.get(thing);
            if ((stored?.row.presence?.revision ?? 0) !== presence.revision - 1) return false;
            if (stored?.row.thingType !== indexes.basis.thingType) return false;
            if (stored?.row.gateway !== indexes.basis.gateway) return false;
            const { dueAt, ...row } = stored?.row ?? {};
            this.rows.set(thing, {
              row: { ...row, presence, ...(indexes.due && { dueAt: indexes.due.dueAt }) },
              indexes,
            });
            return true;
          }),
        latestPending: (groupKey, after, until) =>
          this.#call(() => this.#pending(groupKey).findLast(({ dueAt }) => dueAt > after && dueAt <= until)),
        pending: (groupKey, from, until, limit) =>
          this.#call(() =>
            this.#pending(groupKey)
              .filter(({ dueAt }) => dueAt >= from && dueAt <= until)
              .slice(0, limit),
          ),
        overdue: (shard, until, limit) =>
          this.#call(() =>
            [...this.rows]
              .filter(([, { indexes }]) => indexes.due?.shard === shard && indexes.due.dueAt <= until)
              .map(([thing]) => thing)
              .slice(0, limit),
          ),
        notice: (groupKey) => this.#call(() => this.#noticeRows.get(groupKey)),
        writeNotice: (groupKey, notice) =>
          this.#call(() => {
            if ((this.#noticeRows.get(groupKey)?.revision ?? 0) !== notice.revision - 1) return false;
            this.#noticeRows.set(groupKey, notice);
            return true;
          }),
      },
    };
  }

  #connection(clientId: string): Connection {
    const { connected, since, reason } = this.#client(clientId);
    return { connected, since, reason };
  }

  #correct(thing: string, connected: boolean, version: number): boolean {
    const client = this.#client(thing);
    if (client.shadow?.version !== version) return false;
    this.#report(thing, client, connected, client.shadow.session, false);
    return true;
  }

  #pending(groupKey: string): readonly PendingThing[] {
    return [...this.rows]
      .flatMap(([thing, { indexes }]) =>
        indexes.pending?.groupKey === groupKey ? [{ thing, dueAt: indexes.pending.dueAt }] : [],
      )
      .sort((a, b) => a.dueAt - b.dueAt);
  }

  /** As the notifications function does: the same id is the same notice. */
  #announce(notice: Notice): void {
    if (this.#sent.has(notice.id)) return;
    this.#sent.add(notice.id);
    this.notices.push(notice);
    for (const { thing } of notice.things) this.#judge(notice, thing);
  }

  #judge({ kind, id }: Notice, thing: string): void {
    const outage = this.outages.get(thing)?.at(-1);
    const delayMs = this.settings.offlineDelaySeconds * SECOND;
    if (!outage) {
      this.violations.push(`${id}: ${thing} has never been offline`);
    } else if (kind === 'offline') {
      outage.offlineNotices += 1;
      if (this.isConnected(thing)) this.violations.push(`${id}: ${thing} is connected`);
      if (this.now - outage.from < delayMs) this.violations.push(`${id}: ${thing} is offline for a short time only`);
      if (outage.offlineNotices > 1) this.violations.push(`${id}: ${thing} was in a notice before`);
    } else {
      const told = this.outages.get(thing)?.findLast(({ to }) => to !== undefined);
      if (!told) return;
      told.onlineNotices += 1;
      if (!this.isConnected(thing)) this.violations.push(`${id}: ${thing} is offline`);
      if (told.onlineNotices > 1) this.violations.push(`${id}: ${thing} is back for the second time`);
    }
  }
}

function shardOf(thing: string): string {
  return `due#${thing.length % 8}`;
}
