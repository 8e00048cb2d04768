import { positiveNumber, thingName } from '../arguments.ts';
import type { Cloud } from '../cloud.ts';
import type { AddCommand } from '../context.ts';
import { formatValue, latestReadings } from '../latest-readings.ts';
import { formatTime, type Output, plural } from '../output.ts';
import { pause } from '../pause.ts';
import { listHeld } from '../registration-rows.ts';
import { listThings, mapInParallel } from '../things.ts';

interface Options {
  readonly interval?: number;
  readonly for?: number;
}

/** `watch`: what is new since the last look, line by line. */
export const addWatch: AddCommand = (program, bind) => {
  program
    .command('watch')
    .summary('follows readings, registrations and holds until Ctrl-C')
    .argument('[name]', 'only this thing', thingName)
    .option(
      '--interval <seconds>',
      'how often it looks (default: 1 locally, 5 on AWS, where each look is billed)',
      positiveNumber,
    )
    .option('--for <seconds>', 'ends by itself', positiveNumber)
    .action(
      bind(async ({ cloud, output, signal }, name: string | undefined, { interval, for: seconds }: Options) => {
        const every = (interval ?? (cloud().local ? 1 : 5)) * 1000;
        const end = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
        let seen = await look(cloud(), name);
        output.say(`Watching ${name ?? plural(seen.things.size, 'thing')}; Ctrl-C ends.`);
        while (!signal.aborted && performance.now() < end) {
          await pause(Math.min(every, end - performance.now()), signal);
          const now = await look(cloud(), name);
          report(seen, now, output);
          seen = now;
        }
      }),
    );
};

interface Snapshot {
  readonly things: ReadonlySet<string>;
  /** By thing and sensor; `mark` changes with every new reading. */
  readonly readings: ReadonlyMap<
    string,
    {
      readonly mark: string;
      readonly thing: string;
      readonly sensor: string;
      readonly time: number;
      readonly text: string;
      readonly value: unknown;
    }
  >;
  readonly held: ReadonlyMap<string, Awaited<ReturnType<typeof listHeld>>[number]>;
}

async function look(cloud: Cloud, name: string | undefined): Promise<Snapshot> {
  const things = (await listThings(cloud))
    .map((each) => each.thing)
    .filter((each) => name === undefined || each === name);
  const [held, readings] = await Promise.all([
    listHeld(cloud),
    mapInParallel(things, async (thing) =>
      (await latestReadings(cloud, thing)).map((each) => {
        const { sensor, value, time } = each;
        return [
          `${thing}/${sensor}`,
          { mark: `${time} ${value}`, thing, sensor, time, value, text: formatValue(each) },
        ] as const;
      }),
    ),
  ]);
  return {
    things: new Set(things),
    readings: new Map(readings.flat()),
    held: new Map(
      held.filter((each) => name === undefined || each.thing === name).map((each) => [each.certificateId, each]),
    ),
  };
}

function report(before: Snapshot, now: Snapshot, output: Output): void {
  const line = (time: number, data: object, text: string): void =>
    output.result({ time: new Date(time).toISOString(), ...data }, `${formatTime(time).slice(11)}  ${text}`);
  for (const thing of now.things) {
    if (!before.things.has(thing)) line(Date.now(), { event: 'registered', thing }, `${thing}  registered`);
  }
  for (const [id, each] of now.held) {
    if (before.held.get(id)?.count === each.count) continue;
    const { reason, thing, certificateId, lastSeenAt } = each;
    line(
      lastSeenAt,
      { event: 'held', thing, reason, certificateId },
      `${thing ?? certificateId.slice(0, 12)}  held: ${reason}`,
    );
  }
  const fresh = [...now.readings].filter(([key, { mark }]) => before.readings.get(key)?.mark !== mark);
  for (const [, { thing, sensor, time, value, text }] of fresh.toSorted(([, a], [, b]) => a.time - b.time)) {
    line(time, { event: 'reading', thing, sensor, value }, `${thing}  ${sensor} = ${text}`);
  }
}
