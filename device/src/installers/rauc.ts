import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import type { TrialFailure } from '../launcher/boot-record.ts';
import type { Image, Installer, TrialState } from './installer.ts';
import type { RunTool } from './run-tool.ts';
import { SystemTrial } from './system-trial.ts';

/** `rauc status --output-format=json`: https://rauc.readthedocs.io/en/latest/reference.html */
const RaucStatus = v.object({
  /** The `bootname` of the slot that runs. */
  booted: v.string(),
  /** The slot that the boot loader tries first. */
  boot_primary: v.nullish(v.string()),
  slots: v.array(
    v.record(
      v.string(),
      v.object({ state: v.string(), bootname: v.nullish(v.string()), boot_status: v.nullish(v.string()) }),
    ),
  ),
});

export interface RaucOptions {
  readonly fs: FirmwareFileSystem;
  /** On a disk that all slots share. */
  readonly folder: string;
  readonly rauc: readonly string[];
  readonly reboot: readonly string[];
  readonly run: RunTool;
  readonly bootIdFile?: string;
}

/**
 * Whole systems through RAUC: it writes bundles, which are signed for themselves as well, and the boot loader counts the boots
 * (`BOOT_x_LEFT` with U-Boot). The bundle is activated by `rauc install` unless its configuration says `activate-installed=false`; this
 * adapter needs that line, so that nothing is bootable before the switch.
 */
export class Rauc implements Installer {
  readonly #options: RaucOptions;
  readonly #trial: SystemTrial;

  constructor(options: RaucOptions) {
    this.#options = options;
    this.#trial = new SystemTrial(options.fs, options.folder, options.bootIdFile);
  }

  async running(): Promise<string> {
    return (await this.#status()).booted;
  }

  async isGood(): Promise<boolean> {
    return !this.#trial.isOn(await this.running());
  }

  async problem(): Promise<string | undefined> {
    const { other } = await this.#status();
    return other === undefined ? 'RAUC knows no other slot to install into' : undefined;
  }

  roomFor(): number {
    return 0;
  }

  async install({ file }: Image, signal: AbortSignal): Promise<string> {
    const { run, rauc } = this.#options;
    const { other } = await this.#status();
    if (!other) throw new Error('RAUC knows no other slot to install into');
    await run([...rauc, 'install', file], signal);
    const { primaryIsBooted } = await this.#status();
    if (!primaryIsBooted) {
      await run([...rauc, 'status', 'mark-active', 'booted']);
      throw new Error('RAUC has activated the slot by itself: system.conf needs activate-installed=false');
    }
    return other;
  }

  async trySwitch(slot: string, attempt: string): Promise<void> {
    const { run, rauc } = this.#options;
    this.#trial.begin(slot, attempt);
    await run([...rauc, 'status', 'mark-active', 'other']);
  }

  async restart(): Promise<void> {
    await this.#options.run(this.#options.reboot);
  }

  async trial(slot: string, attempt: string): Promise<TrialState> {
    return this.#trial.state(slot, attempt, await this.running());
  }

  async commit(): Promise<void> {
    const { run, rauc } = this.#options;
    const { booted } = await this.#status();
    await run([...rauc, 'status', 'mark-good', 'booted']);
    await run([...rauc, 'status', 'mark-active', 'booted']);
    this.#trial.commit(booted);
  }

  async rollBack(slot: string, attempt: string, why: TrialFailure): Promise<void> {
    const { run, rauc } = this.#options;
    this.#trial.end(slot, attempt, why);
    const { booted } = await this.#status();
    const [bad, good] = booted === slot ? ['booted', 'other'] : ['other', 'booted'];
    await run([...rauc, 'status', 'mark-bad', bad]);
    await run([...rauc, 'status', 'mark-active', good]);
  }

  async #status() {
    const { run, rauc } = this.#options;
    const status = validate(RaucStatus, parse(await run([...rauc, 'status', '--output-format=json'])));
    if (!status.ok) throw new Error(`rauc status cannot be read: ${status.reason}`);
    const { booted, boot_primary: primary, slots } = status.value;
    const bootable = slots.flatMap((each) => Object.entries(each)).filter(([, { bootname }]) => bootname);
    const other = bootable.find(([, { bootname }]) => bootname !== booted)?.[1].bootname ?? undefined;
    const primaryIsBooted = bootable.some(([name, { bootname }]) => name === primary && bootname === booted);
    return { booted, other, primaryIsBooted };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
