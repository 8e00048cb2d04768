import type { DescribedThing } from '@thingstead/contracts/onboarding';
import { HELD_REASONS, type ManifestEntry } from '@thingstead/contracts/registration';
import { thingName } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { formatValue, type LatestReading, latestReadings } from '../latest-readings.ts';
import { formatTime } from '../output.ts';
import { getManifestEntry, listHeld } from '../registration-rows.ts';
import { getDescription } from '../thing-descriptions.ts';
import { type Certificate, certificatesOf, getThing, type Thing } from '../things.ts';

type Held = Awaited<ReturnType<typeof listHeld>>[number];

/** `device show`: all that is known of a device, also of one that has not got in. */
export const addDeviceShow: AddCommand = (device, bind) => {
  device
    .command('show')
    .summary('thing, what it says of itself, certificates, latest readings, and why a certificate of this name is held')
    .argument('<name>', 'thing name', thingName)
    .action(
      bind(async ({ cloud, output }, name: string) => {
        const [thing, held, manifest] = await Promise.all([
          getThing(cloud(), name).catch((error: unknown) => {
            if (error instanceof CommandError) return error;
            throw error;
          }),
          listHeld(cloud()).then((all) => all.filter((each) => each.thing === name)),
          getManifestEntry(cloud(), name),
        ]);
        if (thing instanceof CommandError) {
          if (held.length === 0 && !manifest) throw thing;
          output.result(
            { thing: name, held, manifest },
            text({
              thing: { thing: name, type: undefined, attributes: {} },
              description: undefined,
              certificates: [],
              readings: [],
              held,
              manifest,
            }),
          );
          return;
        }
        const [description, certificates, readings] = await Promise.all([
          getDescription(cloud(), name),
          certificatesOf(cloud(), name),
          latestReadings(cloud(), name),
        ]);
        output.result(
          { ...thing, description, certificates, readings, held, manifest },
          text({ thing, description, certificates, readings, held, manifest }),
        );
      }),
    );
};

interface Known {
  readonly thing: Thing;
  readonly description: DescribedThing | undefined;
  readonly certificates: readonly Certificate[];
  readonly readings: readonly LatestReading[];
  readonly held: readonly Held[];
  readonly manifest: ManifestEntry | undefined;
}

const line = (name: string, value: string): string => `${name.padEnd(13)}${value}`;

function text({ thing: { thing, type, attributes }, ...known }: Known): string {
  const { description, certificates, readings, held, manifest } = known;
  return [
    line('thing', thing),
    line('type', type ?? 'not registered yet'),
    ...Object.entries(attributes).map(([key, value]) => line('attribute', `${key}=${value}`)),
    ...(description ? descriptionLines(description) : []),
    ...(manifest ? [line('manifest', `since ${formatTime(manifest.addedAt)}`)] : []),
    ...certificates.map((each) =>
      line('certificate', `${each.status}  until ${each.notAfter?.slice(0, 10) ?? '?'}  ${each.certificateId}`),
    ),
    ...readings.map((each) => line('reading', `${each.sensor} = ${formatValue(each)}  at ${formatTime(each.time)}`)),
    ...held.map((each) =>
      line(
        'held',
        `${each.reason}: ${HELD_REASONS[each.reason]} (${each.count} times, last ${formatTime(each.lastSeenAt)}) ${each.certificateId}`,
      ),
    ),
  ].join('\n');
}

/** Members that are attributes too are not said twice. */
function descriptionLines({ sensors, capabilities, gateway, describedAt }: DescribedThing): readonly string[] {
  return [
    line('described', formatTime(describedAt)),
    ...sensors.map(({ name, unit }) => line('sensor', unit === undefined ? name : `${name} in ${unit}`)),
    ...(capabilities.length > 0 ? [line('capabilities', capabilities.join(', '))] : []),
    ...(gateway === undefined ? [] : [line('gateway', gateway)]),
  ];
}
