/** A disk in memory, with folders and links, that can lose power: it records what was done, and gives every state that a crash may leave. */
import path from 'node:path';
import type { Entry, FirmwareFileSystem } from '../../device/src/firmware/firmware-file-system.ts';

type Inode =
  | { readonly kind: 'file'; data: Buffer; readonly executable: boolean }
  | { readonly kind: 'directory'; readonly entries: Map<string, number> }
  | { readonly kind: 'link'; readonly target: string };

type Operation =
  | { readonly kind: 'make'; readonly inode: number; readonly what: Inode }
  | { readonly kind: 'write'; readonly inode: number; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly inode: number; readonly size: number }
  | { readonly kind: 'link'; readonly directory: number; readonly name: string; readonly inode: number }
  | { readonly kind: 'unlink'; readonly directory: number; readonly name: string }
  | {
      readonly kind: 'rename';
      readonly directory: number;
      readonly from: string;
      readonly to: string;
      readonly inode: number;
    }
  | { readonly kind: 'sync'; readonly inode: number };

export type Inodes = ReadonlyMap<number, Inode>;
/** How the last write of a crash state is torn: at a byte, with what was there or with zeros behind it. */
export interface Tear {
  readonly at: number;
  readonly zeros: boolean;
}
type Step = keyof FirmwareFileSystem | 'write' | 'sync';

const ROOT = 0;

export class FirmwareDisk implements FirmwareFileSystem {
  readonly trace: Operation[] = [];
  /** As the disk was when this began. */
  readonly #base: Inodes;
  #inodes: Map<number, Inode>;
  #nextInode: number;
  /** Throw to make a step fail. */
  fault: (step: Step, file: string) => void = () => {};
  /** Says "synced" without doing it. */
  lies: (file: string) => boolean = () => false;
  free = 1e12;

  constructor(inodes: Inodes = new Map([[ROOT, { kind: 'directory', entries: new Map() }]])) {
    this.#base = copy(inodes);
    this.#inodes = copy(inodes);
    this.#nextInode = Math.max(...inodes.keys()) + 1;
  }

  /** All that was done until now is certain. */
  settled(): FirmwareDisk {
    return new FirmwareDisk(this.#inodes);
  }

  makeDirectory(directory: string): void {
    this.fault('makeDirectory', directory);
    let at = ROOT;
    for (const name of levels(directory)) {
      const next = this.#directory(at).get(name);
      at = next ?? this.#make(at, name, { kind: 'directory', entries: new Map() });
    }
  }

  list(directory: string): string[] {
    const inode = this.#find(directory);
    if (inode === undefined) throw systemError('ENOENT', directory);
    return [...this.#directory(inode).keys()];
  }

  entry(file: string): Entry | undefined {
    const inode = this.#find(file);
    const what = inode === undefined ? undefined : this.#inodes.get(inode);
    if (what?.kind === 'file') return { kind: 'file', size: what.data.length, executable: what.executable };
    if (what?.kind === 'link') return { kind: 'link', target: what.target };
    return what && { kind: 'directory' };
  }

  read(file: string): Buffer {
    this.fault('read', file);
    return this.#file(file).data;
  }

  readPart(file: string, offset: number, length: number): Buffer {
    return this.read(file).subarray(offset, offset + length);
  }

  create(file: string) {
    return this.#create(file, false);
  }

  createExecutable(file: string) {
    return this.#create(file, true);
  }

  overwrite(file: string) {
    this.fault('overwrite', file);
    return this.#writable(this.#existing(file), file, 0);
  }

  extend(file: string, size: number) {
    this.fault('extend', file);
    if (this.#find(file) === undefined) this.#create(file, false);
    const inode = this.#existing(file);
    this.#do({ kind: 'truncate', inode, size });
    return this.#writable(inode, file, size);
  }

  makeLink(target: string, link: string): void {
    this.fault('makeLink', link);
    this.#make(this.#parent(link), path.basename(link), { kind: 'link', target });
  }

  rename(from: string, to: string): void {
    this.fault('rename', from);
    const directory = this.#parent(from);
    if (directory !== this.#parent(to)) throw new Error('renames within one folder only');
    const inode = this.#existing(from);
    this.#do({ kind: 'rename', directory, from: path.basename(from), to: path.basename(to), inode });
  }

  remove(file: string): void {
    this.fault('remove', file);
    this.#existing(file);
    this.#do({ kind: 'unlink', directory: this.#parent(file), name: path.basename(file) });
  }

  removeAll(file: string): void {
    this.fault('removeAll', file);
    const entry = this.entry(file);
    if (!entry) return;
    if (entry.kind === 'directory') for (const name of this.list(file)) this.removeAll(path.join(file, name));
    this.remove(file);
  }

  syncDirectory(directory: string): void {
    this.fault('syncDirectory', directory);
    if (!this.lies(directory)) this.#do({ kind: 'sync', inode: this.#existing(directory) });
  }

  freeBytes(): number {
    return this.free;
  }

  /** The names that came, went or changed since so many operations. */
  namesSince(operations: number): string[] {
    return this.trace.slice(operations).flatMap((each) => {
      if (each.kind === 'rename') return [each.from, each.to];
      return each.kind === 'link' || each.kind === 'unlink' ? [each.name] : [];
    });
  }

  /** What a crash after the first `length` operations may leave: `choose` says which of those that no sync has made certain are there. */
  crash(length: number, choose: (pending: number) => boolean, tear?: (bytes: number) => Tear): Inodes {
    const inodes = copy(this.#base);
    const certain = this.#certainAt();
    const chosen = this.trace.slice(0, length).flatMap((operation, index) => {
      if (operation.kind === 'sync') return [];
      if (operation.kind === 'make' || (certain[index] ?? Number.POSITIVE_INFINITY) < length)
        return [{ operation, pending: false }];
      return choose(index) ? [{ operation, pending: true }] : [];
    });
    const last = chosen.findLast(({ operation, pending }) => pending && operation.kind === 'write');
    for (const { operation } of chosen) {
      const torn = tear && operation === last?.operation && operation.kind === 'write';
      apply(inodes, torn ? { ...operation, data: tornData(operation.data, tear(operation.data.length)) } : operation);
    }
    return inodes;
  }

  /** When each operation became certain: the index of the sync. */
  #certainAt(): readonly number[] {
    const next = new Map<number, number>();
    const certain: number[] = [];
    for (let index = this.trace.length - 1; index >= 0; index -= 1) {
      const operation = this.trace[index];
      if (operation?.kind === 'sync') next.set(operation.inode, index);
      else if (operation?.kind === 'write' || operation?.kind === 'truncate')
        certain[index] = next.get(operation.inode) ?? Number.POSITIVE_INFINITY;
      else if (operation && operation.kind !== 'make')
        certain[index] = next.get(operation.directory) ?? Number.POSITIVE_INFINITY;
    }
    return certain;
  }

  #create(file: string, executable: boolean) {
    this.fault(executable ? 'createExecutable' : 'create', file);
    const inode = this.#make(this.#parent(file), path.basename(file), {
      kind: 'file',
      data: Buffer.alloc(0),
      executable,
    });
    return this.#writable(inode, file, 0);
  }

  #writable(inode: number, file: string, from: number) {
    let offset = from;
    return {
      write: (data: Buffer): void => {
        this.fault('write', file);
        this.#do({ kind: 'write', inode, offset, data: Buffer.from(data) });
        offset += data.length;
      },
      sync: (): void => {
        this.fault('sync', file);
        if (!this.lies(file)) this.#do({ kind: 'sync', inode });
      },
      close: (): void => {},
    };
  }

  #make(directory: number, name: string, what: Inode): number {
    const inode = this.#nextInode++;
    this.#do({ kind: 'make', inode, what });
    this.#do({ kind: 'link', directory, name, inode });
    return inode;
  }

  #do(operation: Operation): void {
    this.trace.push(operation);
    apply(this.#inodes, operation);
  }

  #parent(file: string): number {
    return this.#existing(path.dirname(file));
  }

  #existing(file: string): number {
    const inode = this.#find(file);
    if (inode === undefined) throw systemError('ENOENT', file);
    return inode;
  }

  #find(file: string): number | undefined {
    let at: number | undefined = ROOT;
    for (const name of levels(file)) {
      const what: Inode | undefined = at === undefined ? undefined : this.#inodes.get(at);
      at = what?.kind === 'directory' ? what.entries.get(name) : undefined;
    }
    return at;
  }

  #directory(inode: number): Map<string, number> {
    const what = this.#inodes.get(inode);
    if (what?.kind !== 'directory') throw systemError('ENOTDIR', String(inode));
    return what.entries;
  }

  #file(file: string): Extract<Inode, { kind: 'file' }> {
    const what = this.#inodes.get(this.#existing(file));
    if (what?.kind !== 'file') throw systemError('EISDIR', file);
    return what;
  }
}

export function systemError(code: string, file: string): Error {
  return Object.assign(new Error(`${code}: ${file}`), { code });
}

function levels(file: string): readonly string[] {
  return file.split('/').filter((each) => each !== '' && each !== '.');
}

function apply(inodes: Map<number, Inode>, operation: Operation): void {
  if (operation.kind === 'make') {
    inodes.set(operation.inode, copyOf(operation.what));
    return;
  }
  if (operation.kind === 'write' || operation.kind === 'truncate') {
    const what = inodes.get(operation.inode);
    if (what?.kind !== 'file') return;
    what.data = operation.kind === 'write' ? written(what.data, operation) : resized(what.data, operation.size);
    return;
  }
  if (operation.kind === 'sync') return;
  const directory = inodes.get(operation.directory);
  if (directory?.kind !== 'directory') return;
  const { entries } = directory;
  if (operation.kind === 'unlink') entries.delete(operation.name);
  else if (operation.kind === 'link') entries.set(operation.name, operation.inode);
  else {
    if (entries.get(operation.from) === operation.inode) entries.delete(operation.from);
    entries.set(operation.to, operation.inode);
  }
}

function written(before: Buffer, { offset, data }: { readonly offset: number; readonly data: Buffer }): Buffer {
  const after = Buffer.alloc(Math.max(before.length, offset + data.length));
  before.copy(after);
  data.copy(after, offset);
  return after;
}

function resized(before: Buffer, size: number): Buffer {
  const after = Buffer.alloc(size);
  before.copy(after);
  return after;
}

function tornData(data: Buffer, { at, zeros }: Tear): Buffer {
  const kept = data.subarray(0, at);
  return zeros ? Buffer.concat([kept, Buffer.alloc(data.length - at)]) : kept;
}

function copy(inodes: Inodes): Map<number, Inode> {
  return new Map([...inodes].map(([id, inode]) => [id, copyOf(inode)]));
}

function copyOf(inode: Inode): Inode {
  return inode.kind === 'directory' ? { kind: 'directory', entries: new Map(inode.entries) } : { ...inode };
}
