import type { KeptRecord, KeptRecords } from './kept-state.ts';

/** What would have left the cloud for a person: a mail, a text message, a notification on a telephone. */
export interface OutboxEntry {
  /** Counts up from 1, without gaps. */
  readonly id: number;
  readonly channel: 'email' | 'sms' | 'push';
  /** A mail address, a telephone number, or the ARN of a platform endpoint. */
  readonly destination: string;
  /** ARN of the topic; null for what was sent directly. */
  readonly topic: string | null;
  readonly subject: string | null;
  readonly message: string;
  /** Virtual time, ISO 8601. */
  readonly time: string;
  /** What else belongs to it: `confirmationToken` and `subscribeUrl` of a mail, `platform` and `token` of a push. */
  readonly details: Readonly<Record<string, string>>;
}

export type OutboxMessage = Omit<OutboxEntry, 'id' | 'time'>;

/** The oldest entries are forgotten beyond this. */
const KEPT = 1000;

/** Keeps what the services would send to people; `GET /_local/outbox` shows it. */
export class Outbox {
  readonly #now: () => number;
  readonly #entries: OutboxEntry[] = [];
  #lastId = 0;

  /** `now` gives virtual time, epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(message: OutboxMessage): void {
    this.#lastId += 1;
    this.#entries.push({ id: this.#lastId, time: new Date(this.#now()).toISOString(), ...message });
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  *save(): Generator<KeptRecord> {
    for (const entry of this.#entries) yield [`outbox/${entry.id}`, entry, entry];
  }

  restore(records: KeptRecords): void {
    this.#entries.push(...[...records.all<OutboxEntry>('outbox/')].sort((a, b) => a.id - b.id));
    this.#lastId = this.#entries.at(-1)?.id ?? 0;
  }

  /** Entries with a greater id, in their order. */
  after(id: number): readonly OutboxEntry[] {
    return this.#entries.filter((entry) => entry.id > id);
  }
}
