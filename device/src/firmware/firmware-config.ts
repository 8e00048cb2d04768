import { Product } from '@thingstead/contracts/firmware';
import * as v from 'valibot';
import { absoluteProgram, Program, Text, TimeoutSeconds } from '../handlers/handler-config.ts';

const Seconds = v.pipe(v.number(), v.minValue(1), v.maxValue(86_400));

const InstallerSchema = v.variant('type', [
  v.strictObject({
    /** Two folders and a link; the agent is started by thingstead-launcher. */
    type: v.literal('slots'),
    /** As the launcher is told with `--directory`. */
    directory: Text,
  }),
  v.strictObject({
    /** https://rauc.readthedocs.io */
    type: v.literal('rauc'),
    rauc: v.optional(Program, ['rauc']),
    reboot: v.optional(Program, ['systemctl', 'reboot']),
  }),
  v.strictObject({
    /** https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#fail-safe-os-updates-tryboot */
    type: v.literal('tryboot'),
    /** `autoboot.txt` on the first partition, mounted. */
    autoboot: v.optional(Text, '/boot/firmware/autoboot.txt'),
    /** Called with `install FILE PARTITION`, then with `verify FILE PARTITION`; the partition is the number of the one to boot from. */
    write: Program,
    /** For a trial it is called with `0 tryboot`. */
    reboot: v.optional(Program, ['reboot']),
  }),
]);
export type InstallerConfig = v.InferOutput<typeof InstallerSchema>;

export const FirmwareSchema = v.strictObject({
  installer: InstallerSchema,
  /** What this device is: releases of other products are refused. */
  product: Product,
  /** The first trust document: whom this device trusts to release. */
  trustFile: Text,
  /** A program that says, by ending with 0, that the new version does what it is there for. */
  healthCheck: v.optional(v.strictObject({ command: Program, timeoutSeconds: TimeoutSeconds })),
  /** A new version is connected and healthy for so long before it stays. */
  healthSeconds: v.optional(Seconds, 60),
  /** From its start on it has so long for that. */
  trialSeconds: v.optional(Seconds, 900),
  /** How often a new version may be started before it has to be found good. */
  maxBoots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)), 3),
  /** So much stays free on the disk, during an update and after it. */
  minFreeBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 32 * 1024 * 1024),
  /** A file that holds a number, and how high it must be for an update to begin: `/sys/class/power_supply/BAT0/capacity`, 50. */
  battery: v.optional(v.strictObject({ file: Text, minimum: v.number() })),
});
export type FirmwareConfig = v.InferOutput<typeof FirmwareSchema>;

/** What is wrong with parts that are good by themselves. */
export function firmwareContradictions(
  firmware: FirmwareConfig | undefined,
  { memory }: { readonly memory: boolean },
): readonly string[] {
  if (!firmware) return [];
  const { healthSeconds, trialSeconds } = firmware;
  return [
    ...(memory ? ['firmware: without a disk (outbox.memory) there are no updates'] : []),
    ...(trialSeconds < 2 * healthSeconds ? ['firmware.trialSeconds: must be at least twice healthSeconds'] : []),
  ];
}

/** The same with absolute paths. */
export function absoluteFirmware(firmware: FirmwareConfig, absolute: (path: string) => string): FirmwareConfig {
  const { installer, trustFile, healthCheck, battery } = firmware;
  return {
    ...firmware,
    installer: absoluteInstaller(installer, absolute),
    trustFile: absolute(trustFile),
    ...(healthCheck && { healthCheck: { ...healthCheck, command: absoluteProgram(healthCheck.command, absolute) } }),
    ...(battery && { battery: { ...battery, file: absolute(battery.file) } }),
  };
}

function absoluteInstaller(installer: InstallerConfig, absolute: (path: string) => string): InstallerConfig {
  if (installer.type === 'slots') return { ...installer, directory: absolute(installer.directory) };
  const reboot = absoluteProgram(installer.reboot, absolute);
  if (installer.type === 'rauc') return { ...installer, reboot, rauc: absoluteProgram(installer.rauc, absolute) };
  const { autoboot, write } = installer;
  return { ...installer, reboot, autoboot: absolute(autoboot), write: absoluteProgram(write, absolute) };
}
