import path from 'node:path';
import { CommandId, CommandName, CommandOutcome } from '@thingstead/contracts/commands';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { FileSystem } from '../file-system.ts';
import { StateFile } from '../state-file.ts';

/** What is remembered of a command. */
export const CommandRecord = v.object({
  id: CommandId,
  name: CommandName,
  /** Epoch milliseconds. */
  expiresAt: v.number(),
  /** How often it was begun. */
  begun: v.number(),
  /** Until there is an outcome. */
  payload: v.optional(v.unknown()),
  outcome: v.optional(CommandOutcome),
  /** The cloud has the outcome. */
  told: v.boolean(),
});
export type CommandRecord = v.InferOutput<typeof CommandRecord>;

const Forgotten = v.object({ id: CommandId });
const FORGOTTEN = 'forgotten.json';
const NAME = /^([0-9A-HJKMNP-TV-Z]{26})\.json$/;

/**
 * A folder with one small file for each command that is remembered. Every change is there as a whole or not at all, also after a
 * power cut, and when `keep` has returned it is there.
 */
export class CommandStore {
  readonly #fs: FileSystem;
  readonly #directory: string;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /**
   * What was kept, in the order in which the commands were given; the ids of records that cannot be read; and the last id that was
   * forgotten, an empty text for none. @throws the error of the system when the folder cannot be made or listed.
   */
  load(): {
    readonly records: readonly CommandRecord[];
    readonly damaged: readonly string[];
    readonly forgotten: string;
  } {
    this.#fs.makeDirectory(this.#directory);
    const ids = this.#fs.list(this.#directory).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    const read = ids.toSorted().map((id) => ({ id, record: validate(CommandRecord, this.#file(`${id}.json`).read()) }));
    const forgotten = validate(Forgotten, this.#file(FORGOTTEN).read());
    return {
      records: read.flatMap(({ record }) => (record.ok ? record.value : [])),
      damaged: read.flatMap(({ id, record }) => (record.ok ? [] : id)),
      forgotten: forgotten.ok ? forgotten.value.id : '',
    };
  }

  /** @throws the error of the system; what was kept before still is. */
  keep(record: CommandRecord): void {
    this.#file(`${record.id}.json`).write(record);
  }

  /**
   * Forgets commands. That nothing up to the last of them is known any more is written first, so that none of them looks new.
   *
   * @throws the error of the system.
   */
  forget(ids: readonly string[], last: string): void {
    this.#file(FORGOTTEN).write({ id: last } satisfies v.InferOutput<typeof Forgotten>);
    // A disk that has refused in between has taken some of them already.
    const there = new Set(this.#fs.list(this.#directory));
    for (const name of ids.map((id) => `${id}.json`)) {
      if (there.has(name)) this.#fs.remove(path.join(this.#directory, name));
    }
  }

  #file(name: string): StateFile {
    return new StateFile(this.#fs, this.#directory, name);
  }
}
