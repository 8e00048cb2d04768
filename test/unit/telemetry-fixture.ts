/** Stores in memory for the domain of telemetry, and records as the rule puts them on the stream. */
import type { HourItem, LatestItem, QuarantinedMessage, RateItem } from '@thingstead/contracts/telemetry-store';
import { hourKey, rateKey } from '@thingstead/contracts/telemetry-store';
import { isNewer } from '../../lambda/telemetry/latest.ts';
import type { StreamRecord } from '../../lambda/telemetry/message.ts';
import type { Ports, Settings } from '../../lambda/telemetry/ports.ts';

/** The start of an hour, so that offsets are easy to read. */
export const HOUR = Date.parse('2026-11-21T10:00:00Z');
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

interface Key {
  readonly pk: string;
  readonly sk: string;
}

function nameOf({ pk, sk }: Key): string {
  return `${pk} ${sk}`;
}

export class Stores {
  readonly hours = new Map<string, HourItem>();
  readonly rates = new Map<string, RateItem>();
  readonly latest = new Map<string, LatestItem>();
  readonly quarantined: QuarantinedMessage[] = [];
  readonly overRate: { readonly thing: string; readonly hour: string; readonly messages: number }[] = [];
  readonly failures: string[] = [];
  writes = 0;
  settings: Settings = { aggregatesRetentionDays: 400, expectedMessagesPerHour: 1_000_000, maxBackfillMs: 31 * DAY_MS };
  /** Called before and after the effect of every write, with the name of what is written; what it throws happens there. */
  disturb: (moment: 'before' | 'after', what: string) => void | Promise<void> = () => {};

  hour(thing: string, sensor: string, hour = '2026-11-21T10'): HourItem | undefined {
    return this.hours.get(nameOf(hourKey(thing, sensor, hour)));
  }

  ports(): Ports {
    const write = async <T>(what: string, effect: () => T): Promise<T> => {
      await this.disturb('before', what);
      this.writes += 1;
      const result = effect();
      await this.disturb('after', what);
      return result;
    };
    return {
      settings: this.settings,
      aggregates: {
        hour: async (thing, sensor, hour) => structuredClone(this.hour(thing, sensor, hour)),
        rate: async (thing, hour) => structuredClone(this.rates.get(nameOf(rateKey(thing, hour)))),
        replace: (item) =>
          write(nameOf(item), () => {
            const rows: Map<string, HourItem | RateItem> = item.sk.startsWith('hour#') ? this.hours : this.rates;
            if ((rows.get(nameOf(item))?.version ?? 0) !== item.version - 1) return false;
            rows.set(nameOf(item), structuredClone(item));
            return true;
          }),
        putLatest: (item) =>
          write(nameOf(item), () => {
            const there = this.latest.get(nameOf(item));
            if (!there || isNewer(item, there)) this.latest.set(nameOf(item), structuredClone(item));
          }),
      },
      quarantine: { send: (message) => write('quarantine', () => void this.quarantined.push(message)) },
      reports: {
        overExpectedRate: (rate) => void this.overRate.push(rate),
        quarantined: () => {},
        failed: (what) => void this.failures.push(what),
      },
    };
  }
}

export interface Sent {
  readonly thing?: string;
  readonly sensor?: string;
  readonly receivedAt?: number;
  /** The payload; members beside it are the rule's. */
  readonly payload: object;
}

/** Sequence numbers are longer than what a double holds, and not always equally long. */
export function sequenceNumber(position: number): string {
  return String(495_990_000_000_000_000_000_000n + BigInt(position) * 7_000_000_000_000_000_000_000n);
}

/** What the rule makes of a message, on the stream. */
export function recordOf(sent: Sent, position: number, shardId = 'shardId-000000000000'): StreamRecord {
  const { thing = 'thing1', sensor = 'temperature', receivedAt = HOUR + 30 * MINUTE_MS, payload } = sent;
  const id = 'id' in payload && typeof payload.id === 'string' ? payload.id : `uuid-of-${position}`;
  const columns = { pk: `${thing}#${sensor}`, sk: 'x', thing, sensor, receivedAt, messageId: id, expiresAt: 1 };
  const selected = { ...payload, ...columns, clockAhead: false, clockBehind: false };
  return { shardId, sequenceNumber: sequenceNumber(position), data: Buffer.from(JSON.stringify(selected)) };
}
