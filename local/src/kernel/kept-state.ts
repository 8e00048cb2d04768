/**
 * What a service keeps from one start of the runtime to the next (`--data`). Its state is a set of records, read out
 * between two events, all services at the same instant.
 */
export interface KeptState {
  /** Every record there is now. It is called often: hand out what is there, do not copy it. */
  save(): Iterable<KeptRecord>;
  /** Makes the state of what `save` gave; called once, on an empty service, with virtual time set. */
  restore(records: KeptRecords): void;
  /** Goes on with what was under way. All services are restored by then, and the assembly is applied. */
  resume?(): Promise<void> | void;
}

/**
 * - the key is unique in the service;
 * - the value is plain data as the structured clone algorithm takes it: no functions, no objects of classes but Map,
 *   Set, Date and Buffer. A function without parameters stands for the value that it gives, which is asked for only when
 *   the record has to be written;
 * - while the stamp is the same (`===`) as the last time, the record is unchanged. Without a stamp the value is
 *   serialized each time to see that, which is right for what is small.
 */
export type KeptRecord = readonly [key: string, value: unknown, stamp?: unknown];

/** Records of one service, as they come back, in the order of their keys. */
export class KeptRecords {
  readonly #records: ReadonlyMap<string, unknown>;

  constructor(records: ReadonlyMap<string, unknown>) {
    this.#records = records;
  }

  /** The record of this key. Its type is that of what was saved: another layout has another `STATE_FORMAT`. */
  get<T>(key: string): T | undefined {
    return this.#records.get(key) as T | undefined;
  }

  /** The values of all records whose key begins with `prefix`. */
  *all<T>(prefix: string): Generator<T> {
    for (const [key, value] of this.#records) if (key.startsWith(prefix)) yield value as T;
  }
}

/** The state of several parts of a service, whose keys differ. */
export function together(...parts: readonly KeptState[]): KeptState {
  return {
    *save() {
      for (const part of parts) yield* part.save();
    },
    restore(records) {
      for (const part of parts) part.restore(records);
    },
    async resume() {
      for (const part of parts) await part.resume?.();
    },
  };
}
