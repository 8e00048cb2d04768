import {
  AttemptId,
  FirmwareVersion,
  Product,
  UPDATE_FAILURES,
  type UpdateFailure,
} from '@thingstead/contracts/firmware';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { FirmwareFileSystem } from './firmware-file-system.ts';
import { RecordPair } from './record-pair.ts';

const BYTES = 8192;
const MAX_ENDED = 4;
const MAX_REASON = 300;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The update that is under way. */
const Update = v.object({
  attempt: AttemptId,
  product: Product,
  version: FirmwareVersion,
  counter: Count,
  /** Of the image: first as the cloud says, then as the release says. */
  size: Count,
  state: v.picklist(['WAITING', 'DOWNLOADING', 'VERIFYING', 'INSTALLING', 'RESTARTING', 'HEALTH_CHECK']),
  /** As the verified release says. */
  sha256: v.optional(v.string()),
  /** So much of the image is on the disk for certain. */
  bytes: v.optional(Count, 0),
  /** The object that `bytes` are of. */
  etag: v.optional(v.string()),
  slot: v.optional(v.string()),
  /** How often the slot was given to the launcher. */
  switches: v.optional(Count, 0),
});
export type Update = v.InferOutput<typeof Update>;

/** How an attempt has ended. */
const Ended = v.object({
  attempt: AttemptId,
  state: v.picklist(['COMMITTED', 'ROLLED_BACK', 'FAILED']),
  failure: v.optional(v.picklist(UPDATE_FAILURES)),
  reason: v.optional(v.string()),
  /** The cloud has taken it, or will never. */
  told: v.boolean(),
});
export type Ended = v.InferOutput<typeof Ended>;

const Content = v.object({ update: v.optional(Update), ended: v.array(Ended) });

/**
 * Where an update stands, on the disk. One step back, after a record that a cut has torn, is always harmless: a step that was made is
 * made again.
 */
export class UpdateJournal {
  readonly #pair: RecordPair;
  #update: Update | undefined;
  #ended: readonly Ended[] = [];

  constructor(fs: FirmwareFileSystem, directory: string) {
    this.#pair = new RecordPair(fs, directory, 'update', BYTES);
    const content = validate(Content, this.#pair.read());
    if (!content.ok) return;
    this.#update = content.value.update;
    this.#ended = content.value.ended;
  }

  get update(): Update | undefined {
    return this.#update;
  }

  /** The newest last. */
  get ended(): readonly Ended[] {
    return this.#ended;
  }

  /** On the disk when it returns. @throws the error of the system; nothing is changed then. */
  keep(update: Update): void {
    this.#write(update, this.#ended);
  }

  /** The update under way is over. @throws as `keep` */
  end(attempt: string, state: Ended['state'], failure?: UpdateFailure, reason?: string): void {
    const about = {
      ...(failure === undefined ? {} : { failure }),
      ...(reason === undefined ? {} : { reason: reason.slice(0, MAX_REASON) }),
    };
    const others = this.#ended.filter((each) => each.attempt !== attempt);
    this.#write(undefined, [...others, { attempt, state, ...about, told: false }].slice(-MAX_ENDED));
  }

  /** @throws as `keep` */
  told(attempt: string): void {
    const ended = this.#ended.map((each) => (each.attempt === attempt ? { ...each, told: true } : each));
    this.#write(this.#update, ended);
  }

  #write(update: Update | undefined, ended: readonly Ended[]): void {
    this.#pair.prepare();
    this.#pair.write({ ...(update && { update }), ended });
    this.#update = update;
    this.#ended = ended;
  }
}
