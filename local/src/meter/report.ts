import type { Meter, Use } from './meter.ts';
import { type BillableItem, cost, HOURS_PER_MONTH, MINUTES_PER_MONTH, PRICES, type Price } from './prices.ts';

export interface ReportLine {
  readonly service: string;
  readonly item: string;
  readonly resource: string;
  readonly quantity: number;
  readonly unit: string;
  readonly usd: number;
}

/** What a device costs in a month of 30 days, connected all the time, that goes on as since the start. */
export interface DeviceMonth {
  /** Connectivity, and all that costs by use, scaled from the time that devices were connected. */
  readonly usageUsd: number;
  /** What costs by time whatever is sent, for the whole fleet and month: shards, alarms, custom metrics. */
  readonly fixedUsd: number;
  /** How many devices share what is fixed. */
  readonly fleet: number;
  /** What `usageUsd` is scaled from: how long devices were connected, all together, in minutes. */
  readonly deviceMinutes: number;
}

export interface MeterReport {
  readonly from: string;
  readonly to: string;
  readonly virtualHours: number;
  /** The dearest first. */
  readonly services: readonly ReportLine[];
  readonly totalUsd: number;
  /** Usage and the share in what is fixed; null when no device was connected. */
  readonly deviceMonthUsd: number | null;
  readonly deviceMonth: DeviceMonth;
}

export const DEFAULT_FLEET = 10_000;

/** What was used since the start and what AWS would have charged for it. */
export function meterReport(meter: Meter, fleet = DEFAULT_FLEET): MeterReport {
  const { uses, deviceMinutes } = meter;
  const services = uses.map(toLine).sort((a, b) => b.usd - a.usd || a.item.localeCompare(b.item));
  const byUse = sum(uses.filter(({ item }) => isByUse(item)).map(({ item, quantity }) => cost(item, quantity)));
  const connectivity = cost('iotConnection', MINUTES_PER_MONTH);
  const usageUsd = deviceMinutes === 0 ? 0 : connectivity + (byUse * MINUTES_PER_MONTH) / deviceMinutes;
  const fixedUsd = sum(meter.standing.map(({ item, quantity }) => cost(item, quantity * HOURS_PER_MONTH)));
  return {
    from: new Date(meter.startedAt).toISOString(),
    to: new Date(meter.now).toISOString(),
    virtualHours: (meter.now - meter.startedAt) / 3_600_000,
    services,
    totalUsd: sum(services.map(({ usd }) => usd)),
    deviceMonthUsd: deviceMinutes === 0 ? null : usageUsd + fixedUsd / fleet,
    deviceMonth: { usageUsd, fixedUsd, fleet, deviceMinutes },
  };
}

function isByUse(item: BillableItem): boolean {
  const { stepMs, byMonth }: Price = PRICES[item];
  return stepMs === undefined && !byMonth;
}

function toLine({ item, resource, quantity }: Use): ReportLine {
  const price: Price = PRICES[item];
  return {
    service: price.service,
    item: price.item,
    resource,
    quantity: quantity / (price.unitSize ?? 1),
    unit: price.unit,
    usd: cost(item, quantity),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
