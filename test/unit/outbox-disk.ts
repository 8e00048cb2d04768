/** A disk in memory that can lose power: it records what was done, and gives every state that a crash may leave. */
import path from 'node:path';
import type { FileSystem } from '../../device/src/file-system.ts';

interface Inode {
  data: Buffer;
}
type Operation =
  | { readonly kind: 'write'; readonly inode: Inode; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly inode: Inode; readonly length: number }
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'sync'; readonly inode: Inode }
  | { readonly kind: 'syncDirectory' };

export type Files = ReadonlyMap<string, Buffer>;

/** Decides which operation fails: throw to make it so. */
export type Fault = (operation: keyof FileSystem | 'write' | 'sync') => void;

export class SimulatedDisk implements FileSystem {
  readonly trace: Operation[] = [];
  readonly #names = new Map<string, Inode>();
  fault: Fault = () => {};
  /** A disk that says "synced" without doing it. */
  lies = false;

  constructor(files: Files = new Map()) {
    for (const [name, data] of files) this.#names.set(name, { data });
  }

  get files(): Map<string, Buffer> {
    return new Map([...this.#names].map(([name, { data }]) => [name, data]));
  }

  makeDirectory(): void {
    this.fault('makeDirectory');
  }

  list(): string[] {
    this.fault('list');
    return [...this.#names.keys()];
  }

  read(file: string): Buffer {
    this.fault('read');
    const inode = this.#names.get(path.basename(file));
    if (!inode) throw new Error('ENOENT');
    return inode.data;
  }

  create(file: string) {
    this.fault('create');
    const inode: Inode = { data: Buffer.alloc(0) };
    this.#names.set(path.basename(file), inode);
    this.trace.push({ kind: 'link', name: path.basename(file), inode });
    return this.#writable(inode);
  }

  /** What is there, cut off after so many bytes, to be appended to. */
  extend(file: string, length: number) {
    const inode = this.#names.get(path.basename(file));
    if (!inode) return this.create(file);
    this.trace.push({ kind: 'truncate', inode, length });
    inode.data = inode.data.subarray(0, length);
    return this.#writable(inode);
  }

  #writable(inode: Inode) {
    // Grows by doubling: a file of many writes would be copied as often.
    let room = inode.data;
    return {
      write: (data: Buffer): void => {
        this.fault('write');
        this.trace.push({ kind: 'write', inode, offset: inode.data.length, data });
        const { length } = inode.data;
        if (room.length < length + data.length) {
          const more = Buffer.alloc(Math.max(length + data.length, 2 * room.length));
          inode.data.copy(more);
          room = more;
        }
        data.copy(room, length);
        inode.data = room.subarray(0, length + data.length);
      },
      sync: (): void => {
        this.fault('sync');
        if (!this.lies) this.trace.push({ kind: 'sync', inode });
      },
      close: (): void => {},
    };
  }

  rename(from: string, to: string): void {
    this.fault('rename');
    const [source, target] = [path.basename(from), path.basename(to)];
    const inode = this.#names.get(source);
    if (!inode) throw new Error('ENOENT');
    this.#names.delete(source);
    this.#names.set(target, inode);
    this.trace.push({ kind: 'rename', from: source, to: target, inode });
  }

  remove(file: string): void {
    this.fault('remove');
    this.#names.delete(path.basename(file));
    this.trace.push({ kind: 'unlink', name: path.basename(file) });
  }

  syncDirectory(): void {
    this.fault('syncDirectory');
    if (!this.lies) this.trace.push({ kind: 'syncDirectory' });
  }
}

/** How the last write of a crash state is torn: at a byte, with nothing or with zeros behind it. */
export interface Tear {
  readonly at: number;
  readonly zeros: boolean;
}

/** What a crash after the first `length` operations may leave: a choice of those that no sync has made certain. */
export class CrashPoint {
  readonly #certain: Operation[];
  readonly pending: readonly Operation[];

  constructor(trace: readonly Operation[], length: number) {
    const prefix = trace.slice(0, length);
    const synced = (operation: Operation, index: number): boolean =>
      operation.kind === 'write' || operation.kind === 'truncate'
        ? prefix.some((each, at) => at > index && each.kind === 'sync' && each.inode === operation.inode)
        : prefix.some((each, at) => at > index && each.kind === 'syncDirectory');
    const effects = prefix
      .map((operation, index) => ({ operation, certain: synced(operation, index) }))
      .filter(({ operation }) => operation.kind !== 'sync' && operation.kind !== 'syncDirectory');
    this.#certain = effects.filter(({ certain }) => certain).map(({ operation }) => operation);
    this.pending = effects.filter(({ certain }) => !certain).map(({ operation }) => operation);
    this.#order = new Map(prefix.map((operation, index) => [operation, index]));
  }

  readonly #order: Map<Operation, number>;

  /** The bytes of the last of the chosen writes, for choosing a tear; 0 when there is none. */
  tearable(chosen: readonly Operation[]): number {
    return chosen.findLast((each) => each.kind === 'write')?.data.length ?? 0;
  }

  files(chosen: readonly Operation[], tear?: Tear): Files {
    const names = new Map<string, Inode>();
    const contents = new Map<Inode, Buffer>();
    const torn = tear && chosen.findLast((each) => each.kind === 'write');
    const all = [...this.#certain, ...chosen].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0));
    for (const operation of all) {
      if (operation.kind === 'link') names.set(operation.name, operation.inode);
      else if (operation.kind === 'unlink') names.delete(operation.name);
      else if (operation.kind === 'rename') {
        if (names.get(operation.from) === operation.inode) names.delete(operation.from);
        names.set(operation.to, operation.inode);
      } else if (operation.kind === 'truncate') {
        const before = contents.get(operation.inode) ?? Buffer.alloc(0);
        contents.set(operation.inode, before.subarray(0, operation.length));
      } else if (operation.kind === 'write') {
        const before = contents.get(operation.inode) ?? Buffer.alloc(0);
        const data = operation === torn && tear ? tornData(operation.data, tear) : operation.data;
        const after = Buffer.alloc(Math.max(before.length, operation.offset + data.length));
        before.copy(after);
        data.copy(after, operation.offset);
        contents.set(operation.inode, after);
      }
    }
    return new Map([...names].map(([name, inode]) => [name, contents.get(inode) ?? Buffer.alloc(0)]));
  }
}

function tornData(data: Buffer, { at, zeros }: Tear): Buffer {
  const kept = data.subarray(0, at);
  return zeros ? Buffer.concat([kept, Buffer.alloc(data.length - at)]) : kept;
}
