/** What installers of whole systems remember of a trial, since the boot loader does not know for which attempt it is. */
import path from 'node:path';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import { RecordPair } from '../firmware/record-pair.ts';
import type { TrialState } from './installer.ts';

const BYTES = 2048;

const Content = v.object({
  slot: v.string(),
  attempt: v.string(),
  /** Which boot of the machine has made the switch. */
  bootId: v.string(),
  committed: v.optional(v.boolean(), false),
  ended: v.optional(v.object({ failure: v.picklist(['does-not-start', 'unhealthy']), reason: v.string() })),
});
type Content = v.InferOutput<typeof Content>;

export class SystemTrial {
  readonly #pair: RecordPair;
  readonly #fs: FirmwareFileSystem;
  readonly #bootIdFile: string;

  /** @param directory on a disk that all slots share. */
  constructor(fs: FirmwareFileSystem, directory: string, bootIdFile = '/proc/sys/kernel/random/boot_id') {
    this.#fs = fs;
    this.#bootIdFile = bootIdFile;
    this.#pair = new RecordPair(fs, path.join(directory, 'trial'), 'trial', BYTES);
  }

  /** @throws the error of the system. */
  begin(slot: string, attempt: string): void {
    this.#write({ slot, attempt, bootId: this.#bootId(), committed: false });
  }

  /** @throws the error of the system. */
  end(slot: string, attempt: string, ended: NonNullable<Content['ended']>): void {
    this.#write({ slot, attempt, bootId: this.#bootId(), committed: false, ended });
  }

  /** The slot stays. @throws the error of the system. */
  commit(slot: string): void {
    const content = this.#read();
    if (content?.slot === slot && !content.committed) this.#write({ ...content, committed: true });
  }

  /** Whether the slot is one that has not been found good. */
  isOn(slot: string): boolean {
    const content = this.#read();
    return content?.slot === slot && !content.committed;
  }

  /**
   * The slot on trial has its trial until it gives it up. Seen from the other one it is still to come as long as the machine has not
   * booted since the switch, and over then.
   *
   * @param running the slot that runs. @throws the error of the system.
   */
  state(slot: string, attempt: string, running: string): TrialState {
    const content = this.#read();
    if (content?.slot !== slot || content.attempt !== attempt) return { kind: 'none' };
    const { bootId, ended } = content;
    if (ended) return { kind: 'over', ...ended };
    if (running === slot || bootId === this.#bootId()) return { kind: 'pending' };
    return {
      kind: 'over',
      failure: 'does-not-start',
      reason: 'the boot loader has gone back to the system from before',
    };
  }

  #read(): Content | undefined {
    const content = validate(Content, this.#pair.read());
    return content.ok ? content.value : undefined;
  }

  #write(content: Content): void {
    this.#pair.prepare();
    this.#pair.write(content);
  }

  #bootId(): string {
    return this.#fs.read(this.#bootIdFile).toString('utf8').trim();
  }
}
