import path from 'node:path';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import type { TrialFailure } from '../launcher/boot-record.ts';
import type { Image, Installer, TrialState } from './installer.ts';
import type { RunTool } from './run-tool.ts';
import { SystemTrial } from './system-trial.ts';

/** What /proc/device-tree leads to, which a service with `ProcSubset=pid` does not see. */
const PARTITION = '/sys/firmware/devicetree/base/chosen/bootloader/partition';

export interface TrybootOptions {
  readonly fs: FirmwareFileSystem;
  /** On a disk that both systems share. */
  readonly folder: string;
  /** `autoboot.txt` */
  readonly autoboot: string;
  readonly write: readonly string[];
  readonly reboot: readonly string[];
  readonly run: RunTool;
  /** The partition that was booted from: four bytes, the highest first. */
  readonly partitionFile?: string;
  readonly bootIdFile?: string;
}

interface Partitions {
  /** What starts without a trial. */
  readonly all: string;
  readonly tryboot: string;
}

/**
 * Whole systems on a Raspberry Pi: `autoboot.txt` names the partition that is booted from, and the one of a trial. The flag of a trial
 * is used up by one boot, so that the next reset goes back; the commit swaps the two numbers.
 * https://www.raspberrypi.com/documentation/computers/config_txt.html#autoboot-txt
 */
export class Tryboot implements Installer {
  readonly #options: TrybootOptions;
  readonly #trial: SystemTrial;

  constructor(options: TrybootOptions) {
    this.#options = options;
    this.#trial = new SystemTrial(options.fs, options.folder, options.bootIdFile);
  }

  async running(): Promise<string> {
    const { fs, partitionFile = PARTITION } = this.#options;
    return String(fs.read(partitionFile).readUInt32BE());
  }

  async isGood(): Promise<boolean> {
    return this.#partitions().all === (await this.running());
  }

  async problem(): Promise<string | undefined> {
    try {
      this.#partitions();
      return (await this.isGood()) ? undefined : 'the system that runs is still on trial';
    } catch (error) {
      return String(error);
    }
  }

  roomFor(): number {
    return 0;
  }

  async install({ file }: Image, signal: AbortSignal): Promise<string> {
    const { run, write } = this.#options;
    const { tryboot } = this.#partitions();
    if (tryboot === (await this.running())) throw new Error('the partition of a trial is the one that runs');
    await run([...write, 'install', file, tryboot], signal);
    await run([...write, 'verify', file, tryboot], signal);
    return tryboot;
  }

  async trySwitch(slot: string, attempt: string): Promise<void> {
    this.#trial.begin(slot, attempt);
  }

  /** From a system on trial an ordinary restart leads back. */
  async restart(): Promise<void> {
    const { run, reboot } = this.#options;
    await run((await this.isGood()) ? [...reboot, '0 tryboot'] : reboot);
  }

  async trial(slot: string, attempt: string): Promise<TrialState> {
    return this.#trial.state(slot, attempt, await this.running());
  }

  async commit(): Promise<void> {
    const { fs, autoboot } = this.#options;
    const running = await this.running();
    const { all, tryboot } = this.#partitions();
    if (all !== running) {
      const swapped = new Map([
        [all, tryboot],
        [tryboot, all],
      ]);
      const text = this.#text().replace(
        /^(\s*boot_partition=)(\d+)/gm,
        (_line, key: string, number: string) => `${key}${swapped.get(number) ?? number}`,
      );
      const draft = `${autoboot}.draft`;
      const file = fs.create(draft);
      file.write(Buffer.from(text));
      file.sync();
      file.close();
      fs.rename(draft, autoboot);
    }
    fs.syncDirectory(path.dirname(autoboot));
  }

  async rollBack(slot: string, attempt: string, why: TrialFailure): Promise<void> {
    this.#trial.end(slot, attempt, why);
  }

  #text(): string {
    return this.#options.fs.read(this.#options.autoboot).toString('utf8');
  }

  /** @throws Error when the file does not name two partitions. */
  #partitions(): Partitions {
    const sections = new Map<string, string>();
    let section = 'all';
    for (const line of this.#text().split('\n')) {
      section = /^\s*\[(\w+)\]/.exec(line)?.[1] ?? section;
      const partition = /^\s*boot_partition=(\d+)/.exec(line)?.[1];
      if (partition) sections.set(section, partition);
    }
    const [all, tryboot] = [sections.get('all'), sections.get('tryboot')];
    if (!all || !tryboot || all === tryboot) throw new Error(`${this.#options.autoboot} does not name two partitions`);
    return { all, tryboot };
  }
}
