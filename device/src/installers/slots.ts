import path from 'node:path';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import { BootRecord, isPending, type SlotName, type TrialFailure } from '../launcher/boot-record.ts';
import { PROGRAM } from '../launcher/next-start.ts';
import type { Image, Installer, TrialState } from './installer.ts';
import { unpackImage, verifyTree } from './slot-tree.ts';

/** What an image may unpack to, as a multiple of its size; and what it usually does. */
const MAX_RATIO = 10;
const USUAL_RATIO = 4;
const INCOMING = 'incoming';

export interface SlotsOptions {
  readonly fs: FirmwareFileSystem;
  readonly directory: string;
  /** As the launcher has said: `a`, `b` or `factory`. Undefined when it was not the launcher that started this agent. */
  readonly running: string | undefined;
  readonly maxBoots: number;
  /** A start that is not committed within so many seconds is ended. */
  readonly trialSeconds: number;
  /** Ends the agent; the launcher goes on. */
  readonly end: () => void;
}

/**
 * Two folders, `a` and `b`, and the version that came with the launcher. The link `current` says which is good: renaming it is the
 * commit. The launcher counts the boots of a slot on trial, and goes back.
 */
export class Slots implements Installer {
  readonly #options: SlotsOptions;
  readonly #record: BootRecord;

  constructor(options: SlotsOptions) {
    this.#options = options;
    this.#record = new BootRecord(options.fs, options.directory);
  }

  async running(): Promise<string> {
    return this.#options.running ?? 'factory';
  }

  async isGood(): Promise<boolean> {
    const { running } = this.#options;
    return running === (this.#record.good() ?? 'factory');
  }

  async problem(): Promise<string | undefined> {
    const { running } = this.#options;
    if (running === undefined) return 'the agent was not started by thingstead-launcher';
    if (running === this.#inactive()) return `slot ${running} is still on trial`;
    return undefined;
  }

  roomFor(size: number): number {
    return USUAL_RATIO * size;
  }

  async install(image: Image, signal: AbortSignal): Promise<SlotName> {
    const { fs, directory } = this.#options;
    const slot = this.#inactive();
    const trial = this.#record.trial();
    // What is about to be overwritten is never started.
    if (trial && isPending(trial, this.#record.good())) this.#record.writeTrial({ ...trial, bootsLeft: 0 });
    this.#record.prepare();
    const incoming = path.join(directory, INCOMING);
    const target = path.join(directory, slot);
    fs.removeAll(incoming);
    try {
      const written = await unpackImage(fs, image, incoming, MAX_RATIO * image.size, signal);
      if (!written.get(PROGRAM)?.executable) throw new Error(`the image holds no program ${PROGRAM}`);
      fs.removeAll(target);
      fs.rename(incoming, target);
      fs.syncDirectory(directory);
      verifyTree(fs, target, written);
    } catch (error) {
      fs.removeAll(incoming);
      throw error;
    }
    return slot;
  }

  async trySwitch(slot: string, attempt: string): Promise<void> {
    const { maxBoots, trialSeconds } = this.#options;
    this.#record.writeTrial({ slot: slotNamed(slot), attempt, bootsLeft: maxBoots, deadlineSeconds: trialSeconds });
  }

  async restart(): Promise<void> {
    this.#options.end();
  }

  async trial(slot: string, attempt: string): Promise<TrialState> {
    const trial = this.#record.trial();
    if (trial?.attempt !== attempt || trial.slot !== slot) return { kind: 'none' };
    // Once it runs its boot is used up, perhaps the last one: that is no reason to end it.
    const goesOn = this.#options.running === slot ? !trial.givenUp : isPending(trial, this.#record.good());
    if (goesOn) return { kind: 'pending' };
    const reason = 'the device was switched off or reset each time before the new version was found good';
    const ended: TrialFailure = trial.ended ?? { failure: 'does-not-start', reason };
    return { kind: 'over', ...ended };
  }

  async commit(): Promise<void> {
    this.#record.setGood(slotNamed(this.#options.running));
  }

  async rollBack(slot: string, attempt: string, ended: TrialFailure): Promise<void> {
    const { trialSeconds } = this.#options;
    this.#record.writeTrial({
      ...{ slot: slotNamed(slot), attempt, bootsLeft: 0, deadlineSeconds: trialSeconds, ended, givenUp: true },
    });
  }

  #inactive(): SlotName {
    return this.#record.good() === 'a' ? 'b' : 'a';
  }
}

function slotNamed(name: string | undefined): SlotName {
  if (name !== 'a' && name !== 'b') throw new Error(`${name} is no slot`);
  return name;
}
