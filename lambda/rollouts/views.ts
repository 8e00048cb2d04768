/** Rollouts as the API shows them. */
import type { FirmwareDeviceRow, RolloutDeviceRow, RolloutRow } from '@thingstead/contracts/rollout-store';
import type { Rollout, RolloutDevice, RolloutSummary, rolloutsRoutes } from '@thingstead/contracts/routes/rollouts';
import type * as v from 'valibot';
import { numbersOf, present, totalOf } from '../rollout-ticks/numbers.ts';
import type { Counts } from './ports.ts';

export function summaryOf(row: RolloutRow): RolloutSummary {
  const { release, ...rollout } = row;
  const { product, counter, version } = release;
  return { ...rollout, product, counter, version };
}

export function viewOf(row: RolloutRow, counts: Counts): Rollout {
  const { all, waves } = numbersOf(counts, row.settings.waves.length);
  return {
    ...summaryOf(row),
    ...(row.endedAt === undefined && { nextTickAt: row.nextTickAt }),
    total: totalOf(all),
    numbers: present(all),
    waves: waves.map(present),
  };
}

export function deviceViewOf({ rollout: _, order: __, ...device }: RolloutDeviceRow): RolloutDevice {
  return device;
}

type Firmware = v.InferOutput<typeof rolloutsRoutes.getFirmware.answer>;

/** `row` is the device's in the rollout that it was offered the release by. */
export function firmwareOf(thing: string, device: FirmwareDeviceRow, row: RolloutDeviceRow | undefined): Firmware {
  const { running, version, counter, size, offeredAt, state } = device;
  const { said, bytes, failure, reason } = row ?? { ...device, bytes: undefined };
  const isOffered = version !== undefined && counter !== undefined && offeredAt !== undefined;
  return {
    thing,
    ...(running && { running: { version: running.version, counter: running.counter, at: running.at } }),
    ...(isOffered && {
      update: {
        ...{ version, counter, offeredAt, ended: state === 'ENDED', size, said, bytes, failure, reason },
        ...(row && { state: row.state }),
      },
    }),
  };
}
