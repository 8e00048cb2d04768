/** What the run would have cost on AWS, by the runtime's meter. */
import { styleText } from 'node:util';
import { say } from './processes.ts';

const METER_INTERVAL_MS = 2000;
const METER_TIMEOUT_MS = 2000;

/** What the answer of GET /_local/meter has for us. */
interface Meter {
  readonly services: readonly { readonly service: string; readonly usd: number }[];
  readonly totalUsd: number;
  readonly virtualHours: number;
  readonly deviceMonthUsd: number | null;
  readonly deviceMonth: {
    readonly usageUsd: number;
    readonly fixedUsd: number;
    readonly fleet: number;
    readonly deviceMinutes: number;
  };
}

/** The newest answer of the meter. */
let meter: Meter | undefined;
let readNewestMeter = async (): Promise<void> => {};

/** A Ctrl-C in a terminal ends the runtime as well as us, so the meter is read now and then, and not only at the end. */
export function watchMeter(awsEndpoint: string): void {
  readNewestMeter = async () => {
    try {
      const response = await fetch(`${awsEndpoint}/_local/meter`, { signal: AbortSignal.timeout(METER_TIMEOUT_MS) });
      // The runtime's own answer; it has this form.
      if (response.ok) meter = (await response.json()) as Meter;
    } catch {
      // The runtime has gone: the answer before is the newest.
    }
  };
  setInterval(readNewestMeter, METER_INTERVAL_MS).unref();
}

/** What all of it would have cost on AWS, by service, and what a device that goes on like this costs a month. */
export async function printCost(): Promise<void> {
  await readNewestMeter();
  if (!meter) return;
  const { services, totalUsd, virtualHours, deviceMonthUsd, deviceMonth } = meter;
  const byService = new Map<string, number>();
  for (const { service, usd } of services) byService.set(service, (byService.get(service) ?? 0) + usd);
  const time = virtualHours < 1 ? `${(virtualHours * 60).toFixed(1)} minutes` : `${virtualHours.toFixed(1)} hours`;
  say(`\n  ${styleText('bold', 'On AWS')} this would have cost ${totalUsd.toFixed(6)} USD in ${time}:`);
  for (const [service, usd] of byService) say(`    ${service.padEnd(30)}${usd.toFixed(6)}`);
  if (deviceMonthUsd === null) return;
  const { usageUsd, fixedUsd, fleet, deviceMinutes } = deviceMonth;
  const parts = `${usageUsd.toFixed(4)} by use and its share of ${fixedUsd.toFixed(2)} fixed in a fleet of ${fleet}`;
  say(`  A device-month at this pace, joining included: ${deviceMonthUsd.toFixed(4)} USD, ${parts}`);
  say(
    `  (from ${deviceMinutes.toFixed(1)} device-minutes; real devices send far less often: node bench/cost.ts, docs/cost.md)`,
  );
}
