import type { Notice, PendingNotice } from '@thingstead/contracts/notices';
import type { Check, PresenceRow, PresenceSettings, PresenceState } from '@thingstead/contracts/presence';

/** What the sparse indexes hold of a thing; undefined: it is not in that index. */
export interface IndexEntries {
  readonly pending: { readonly groupKey: string; readonly dueAt: number } | undefined;
  readonly due: { readonly shard: string; readonly dueAt: number } | undefined;
  /** What they follow from. On-boarding writes these members, so the row is written only while they are still so. */
  readonly basis: Pick<PresenceRow, 'gateway' | 'thingType'>;
}

/** A thing about which a notice is pending. */
export interface PendingThing {
  readonly thing: string;
  readonly dueAt: number;
}

/** The things table. `read` and `notice` are consistent, what comes from an index may be late. */
export interface Things {
  read(thing: string): Promise<PresenceRow | undefined>;
  /** Writes revision n over revision n-1, or revision 1 where there is none. False when another was faster. */
  write(thing: string, presence: PresenceState, indexes: IndexEntries): Promise<boolean>;
  /** The latest of a group that is due in (after, until]; undefined when there is none. */
  latestPending(groupKey: string, after: number, until: number): Promise<PendingThing | undefined>;
  /** Those of a group that are due in [from, until], the earliest first, at most `limit`. */
  pending(groupKey: string, from: number, until: number, limit: number): Promise<readonly PendingThing[]>;
  /** Things of a shard that are due by then, at most `limit`. */
  overdue(shard: string, until: number, limit: number): Promise<readonly string[]>;
  notice(groupKey: string): Promise<PendingNotice | undefined>;
  /** Like `write`, by the notice's revision. */
  writeNotice(groupKey: string, notice: PendingNotice): Promise<boolean>;
}

/** What the message broker says of a client now. */
export interface Connection {
  readonly connected: boolean;
  /** Epoch milliseconds. */
  readonly since: number | undefined;
  readonly reason: string | undefined;
}

/** AWS IoT's message broker. */
export interface Broker {
  /** A client of which nothing is known (any more) is not connected. */
  connection(clientId: string): Promise<Connection>;
}

/** The classic shadow's `reported`, as far as it is about presence. */
export interface Shadows {
  /** Undefined when there is no shadow, or it says nothing about the connection. */
  reported(thing: string): Promise<{ readonly connected: boolean; readonly version: number } | undefined>;
  /** Writes only over this version. False when the shadow was changed in the meantime. */
  correct(thing: string, connected: boolean, version: number): Promise<boolean>;
}

/** The function's own queue. */
export interface Checks {
  /** `delaySeconds`: 0 to 900, a limit of SQS. */
  send(check: Check, delaySeconds: number): Promise<void>;
}

/** Where notices become messages to people. The same notice may be sent more than once. */
export interface Notices {
  send(notice: Notice): Promise<void>;
}

/** The last sign of life of a thing that does not keep a connection. */
export interface Readings {
  /** When its last reading arrived, in epoch milliseconds. */
  lastArrival(thing: string): Promise<number | undefined>;
}

/** Tells the operator what happened. */
export interface Reports {
  changed(change: { readonly thing: string; readonly connected: boolean; readonly reason: string | undefined }): void;
  /** Events had left row or shadow wrong, and it was put right. */
  repaired(what: { readonly thing: string; readonly store: 'row' | 'shadow'; readonly connected: boolean }): void;
  announced(notice: { readonly id: string; readonly kind: string; readonly things: number }): void;
  /** A message could not be processed and comes again. */
  failed(what: string, error: unknown): void;
}

export interface Ports {
  readonly things: Things;
  readonly broker: Broker;
  readonly shadows: Shadows;
  readonly checks: Checks;
  readonly notices: Notices;
  readonly readings: Readings;
  readonly reports: Reports;
  readonly settings: PresenceSettings;
  /** Epoch milliseconds. */
  now(): number;
}
