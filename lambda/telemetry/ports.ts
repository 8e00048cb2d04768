import type { HourItem, LatestItem, QuarantinedMessage, RateItem } from '@thingstead/contracts/telemetry-store';

/** The aggregates table. Reads are consistent. */
export interface Aggregates {
  hour(thing: string, sensor: string, hour: string): Promise<HourItem | undefined>;
  rate(thing: string, hour: string): Promise<RateItem | undefined>;
  /**
   * Writes version n over version n-1, or version 1 where there is nothing. False when somebody else has written in between.
   */
  replace(item: HourItem | RateItem): Promise<boolean>;
  /** Writes unless what is there is newer: by time, then by id. */
  putLatest(item: LatestItem): Promise<void>;
}

/** Where messages go that are no readings. The same one may arrive there more than once. */
export interface Quarantine {
  send(message: QuarantinedMessage): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  /** Has told when it returns. */
  overExpectedRate(rate: { readonly thing: string; readonly hour: string; readonly messages: number }): void;
  quarantined(message: QuarantinedMessage): void;
  /** A part of the batch could not be processed and is tried again. */
  failed(what: string, error: unknown): void;
}

export interface Settings {
  readonly aggregatesRetentionDays: number;
  readonly expectedMessagesPerHour: number;
  readonly maxBackfillMs: number;
}

export interface Ports {
  readonly aggregates: Aggregates;
  readonly quarantine: Quarantine;
  readonly reports: Reports;
  readonly settings: Settings;
}
