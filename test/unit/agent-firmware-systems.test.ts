/** Updates of whole systems, from the restart to the end: the real updater and installers, on a machine whose boots the test makes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../device/src/clock.ts';
import type { FirmwareCloud } from '../../device/src/firmware/firmware-cloud.ts';
import { FirmwareUpdater } from '../../device/src/firmware/firmware-updater.ts';
import { nodeFirmwareFileSystem as fs } from '../../device/src/firmware/node-firmware-file-system.ts';
import { TrustStore } from '../../device/src/firmware/trust-store.ts';
import { UpdateJournal } from '../../device/src/firmware/update-journal.ts';
import { UpdateReports } from '../../device/src/firmware/update-reports.ts';
import { Rauc } from '../../device/src/installers/rauc.ts';
import type { RunTool } from '../../device/src/installers/run-tool.ts';
import { Tryboot } from '../../device/src/installers/tryboot.ts';
import { firstTrust, THING } from './agent-firmware-world.ts';
import { keptLog } from './agent-session.ts';

const ATTEMPT = '01J00000000000000000000001';
const NEW = { attempt: ATTEMPT, product: 'pump', version: '2.0.0', counter: 2 };

let folder: string;
const file = (name: string): string => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-systems-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What starts the machine, and which system that brings. */
interface Machine {
  readonly slots: readonly [old: string, next: string];
  installer(run: RunTool): Rauc | Tryboot;
  /** The system that comes up, after this call of a tool; undefined: it does not restart the machine. */
  bootedBy(command: readonly string[]): string | undefined;
  comesUp(slot: string): void;
}

function raspberry(): Machine {
  writeFileSync(file('autoboot.txt'), '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n');
  const named = (section: string): string =>
    new RegExp(`\\[${section}\\][^[]*boot_partition=(\\d)`).exec(readFileSync(file('autoboot.txt'), 'utf8'))?.[1] ?? '';
  return {
    slots: ['2', '3'],
    installer: (run) =>
      new Tryboot({
        ...{ fs, folder, run, autoboot: file('autoboot.txt'), write: ['write'], reboot: ['reboot'] },
        ...{ partitionFile: file('partition'), bootIdFile: file('boot_id') },
      }),
    bootedBy: ([program, ...args]) =>
      program === 'reboot' ? named(args[0] === '0 tryboot' ? 'tryboot' : 'all') : undefined,
    comesUp: (slot) => writeFileSync(file('partition'), Buffer.from([0, 0, 0, Number(slot)])),
  };
}

/** With RAUC's answers about a boot loader that goes where it is told. */
function withRauc(): Machine {
  let [booted, primary] = ['A', 'A'];
  const other = (): string => (booted === 'A' ? 'B' : 'A');
  return {
    slots: ['A', 'B'],
    installer: (run) =>
      new Rauc({
        ...{ fs, folder, rauc: ['rauc'], reboot: ['reboot'], bootIdFile: file('boot_id') },
        run: async (command, signal) => {
          const [, , action, which] = command;
          if (action === 'mark-active') primary = which === 'other' ? other() : booted;
          if (action !== '--output-format=json') return run(command, signal);
          const slots = ['A', 'B'].map((bootname) => ({ [`rootfs.${bootname}`]: { state: 'inactive', bootname } }));
          return JSON.stringify({ booted, boot_primary: `rootfs.${primary}`, slots });
        },
      }),
    bootedBy: ([program]) => (program === 'reboot' ? primary : undefined),
    comesUp: (slot) => {
      booted = slot;
    },
  };
}

/** Boots until an end was said, and gives what was said, and the systems that came up. */
async function update(machine: Machine, isConnected: (slot: string) => boolean) {
  const [old, next] = machine.slots;
  const said: string[] = [];
  const boots: string[] = [];
  new TrustStore(fs, folder, firstTrust).installed(next, NEW);
  new UpdateJournal(fs, folder).keep({ ...NEW, size: 1, bytes: 1, switches: 0, state: 'RESTARTING', slot: next });
  for (let slot: string | undefined = old; slot !== undefined && boots.length < 6; ) {
    const present: string = slot;
    boots.push(present);
    machine.comesUp(present);
    writeFileSync(file('boot_id'), `boot-${boots.length}\n`);
    slot = await live(present);
  }
  return { said, boots };

  /** Gives what starts next; undefined when nothing does. */
  async function live(slot: string): Promise<string | undefined> {
    const ending = new AbortController();
    let comes: string | undefined;
    const installer = machine.installer(async (command) => {
      comes = machine.bootedBy(command);
      if (comes !== undefined) ending.abort();
      return '';
    });
    const cloud: FirmwareCloud = {
      isConnected: isConnected(slot),
      connected: () => Promise.resolve(),
      ask: () => Promise.resolve({ kind: 'unanswered' }),
      tell: async (_attempt, { state, failure, counter }) => {
        said.push([`${state} by ${counter}`, failure].filter(Boolean).join(': '));
        if (state === 'COMMITTED' || state === 'ROLLED_BACK') ending.abort();
        return 'taken';
      },
    };
    const trust = new TrustStore(fs, folder, firstTrust);
    const context = {
      ...{ thing: THING, hardwareRevision: 'rev-a', folder, fs, trust, installer, cloud },
      settings: { product: 'pump', healthSeconds: 0.05, trialSeconds: 0.4, minFreeBytes: 1 },
      ...{ clock: systemClock(), log: keptLog(), journal: new UpdateJournal(fs, folder), running: trust.inSlot(slot) },
      ...{ get: () => Promise.reject(new Error('no download')), randomId: () => '', trustChanged: () => {} },
    };
    await new FirmwareUpdater(context, new UpdateReports({ ...context, version: '1.0.0' })).run(ending.signal);
    return comes;
  }
}

describe.each([
  ['tryboot', raspberry],
  ['RAUC', withRauc],
])('with %s', (_name, machineOf) => {
  it('a new system is found good in its first boot, and stays', async () => {
    const machine = machineOf();
    const [old, next] = machine.slots;

    const { said, boots } = await update(machine, () => true);

    expect(boots).toEqual([old, next]);
    expect(said).toEqual(['RESTARTING by 0', 'HEALTH_CHECK by 2', 'COMMITTED by 2']);
    expect(await machine.installer(() => Promise.resolve('')).isGood()).toBe(true);
  });

  it('a new system that is not connected goes back, and the old one says so', async () => {
    const machine = machineOf();
    const [old, next] = machine.slots;

    const { said, boots } = await update(machine, (slot) => slot === old);

    expect(boots).toEqual([old, next, old]);
    expect(said).toEqual(['RESTARTING by 0', 'HEALTH_CHECK by 2', 'ROLLED_BACK by 0: unhealthy']);
  });
});
