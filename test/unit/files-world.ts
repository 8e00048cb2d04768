/**
 * A world in which devices and people transfer files, with what AWS may do: messages and events twice, late and in the wrong
 * order, calls that fail, functions that die between any two calls, two invocations at the same time. It watches every write.
 */

import { maxEncryptedBytes, objectKeyOf, type TransferRow } from '../../contracts/src/file-store.ts';
import type { FileAnswer, FileRejection, FileRequest, SentFile } from '../../contracts/src/files.ts';
import { begin } from '../../lambda/file-transfers/begin.ts';
import { createHandler } from '../../lambda/file-transfers/handler.ts';
import { hasEnded, mayFollow, roomOf, stateOf } from '../../lambda/file-transfers/life-cycle.ts';
import type { ObjectPart, Outcome, Ports } from '../../lambda/file-transfers/ports.ts';
import { remove } from '../../lambda/file-transfers/remove.ts';
import { complete, urlsOf } from '../../lambda/file-transfers/upload.ts';
import { HarmedWorld, isHarm, MAX_CALL_MS, type Noise, QUIET } from '../support/harmed-world.ts';

export const SECOND = 1000;
export const DAY = 86_400 * SECOND;
/** A check of the access, and all that an invocation does next. */
const REVOKED_FOR_SURE_MS = 40 * MAX_CALL_MS;
const ATTEMPTS = 8;
const HASH = `${'A'.repeat(43)}=`;

export interface Sent {
  readonly thing: string;
  readonly id: string;
  readonly size: number;
}

export class FilesWorld extends HarmedWorld {
  readonly settings = { stage: 'test', maxBytes: 1000, quotaBytesPerThing: 6_000, retentionDays: 2 };
  readonly rows = new Map<string, TransferRow>();
  readonly versions = new Map<string, number>();
  readonly uploads = new Map<
    string,
    { readonly key: string; readonly at: number; readonly parts: Map<number, ObjectPart> }
  >();
  readonly objects = new Map<string, { readonly bytes: number; readonly etag: string; readonly at: number }>();
  /** Of which somebody was told that they are whole, or received. */
  readonly promised = new Set<string>();
  readonly orphaned: string[] = [];
  readonly said: { readonly transfer: string; readonly answer: FileAnswer | FileRejection }[] = [];
  readonly #keys = new Map<string, string>();
  readonly #revoked = new Map<string, number>();
  readonly #sizes = new Map<string, number>();
  readonly #change: (ports: Ports) => Ports;
  #made = 0;

  constructor(noise: Noise = QUIET, change: (ports: Ports) => Ports = (ports) => ports) {
    super(noise);
    this.#change = change;
  }

  // What devices and people do.

  /** A device sends a file: it asks until it is told the end. */
  upload({ thing, id, size }: Sent): void {
    this.#sizes.set(id, size);
    this.say(thing, id, { type: 'upload', name: 'log', size });
  }

  say(thing: string, transfer: string, request: FileRequest): void {
    const payload = Buffer.from(JSON.stringify(request)).toString('base64');
    const event = { thing, transfer, at: this.now, payload };
    this.deliver(() => this.#invoke(event));
  }

  /** A person sends a file, as a command line does it: again when there was no answer. */
  async send(person: string, { thing, id, size }: Sent): Promise<void> {
    const file = { thing, id, size, direction: 'to-device', name: 'settings', contentType: 'a/b' } as const;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (this.#revoked.has(`${person} ${thing}`)) return;
      try {
        const ports = this.ports();
        const begun = await begin({ ...file, startedBy: person, authority: 'grant' }, ports);
        const done = begun.ok ? await this.#finish(begun.value.row, ports) : begun;
        if (done.ok) {
          this.promised.add(id);
          return;
        }
        if (!done.retry) return;
      } catch (error) {
        if (!isHarm(error)) throw error;
      }
      await this.pause(SECOND);
    }
  }

  async #finish(row: TransferRow, ports: Ports): Promise<Outcome<TransferRow>> {
    const part = { number: 1, bytes: encrypted(row.size), sha256: HASH };
    const urls = await urlsOf(await ports.transfers.read(row.thing, row.id), [part], ports);
    if (!urls.ok) return urls;
    const sent = this.#put(urls.value.urls[0]?.url ?? '', row.size);
    return complete(await ports.transfers.read(row.thing, row.id), sent, ports);
  }

  /** A person has seen it, and wants it no more. */
  async remove(thing: string, id: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        const ports = this.ports();
        const row = await ports.transfers.read(thing, id);
        if (row) await remove(row, ports);
        return;
      } catch (error) {
        if (!isHarm(error)) throw error;
      }
    }
  }

  revoke(person: string, thing: string): void {
    this.#revoked.set(`${person} ${thing}`, this.now);
  }

  // As AWS does it.

  /** What the rules of the bucket do, at midnight. */
  midnight(): void {
    for (const [id, { at }] of this.uploads) if (this.now >= at + 3 * DAY) this.uploads.delete(id);
    for (const [key, { at }] of this.objects) {
      if (this.now < at + this.settings.retentionDays * DAY) continue;
      this.objects.delete(key);
      this.event('Object Deleted', key);
    }
  }

  event(type: string, key: string): void {
    const event = { source: 'aws.s3', 'detail-type': type, detail: { object: { key } } };
    this.deliver(() => this.#invoke(event));
  }

  /** What fails is tried again by an operator, who has time. */
  #invoke(event: unknown): void {
    const handle = (): Promise<unknown> =>
      createHandler(this.ports())(event).catch((error) => {
        this.must(isHarm(error), String(error));
        throw error;
      });
    this.invoke(handle, (again) => this.schedule(600 * SECOND, again));
  }

  /** What the URL says, with exactly what it is for. */
  #put(url: string, size: number): SentFile {
    const [uploadId = ''] = url.split(' ');
    this.#made += 1;
    const etag = `"${this.#made}"`;
    this.uploads.get(uploadId)?.parts.set(1, { number: 1, etag, bytes: encrypted(size), sha256: HASH });
    return { parts: [{ number: 1, etag }], bytes: encrypted(size), sha256: HASH };
  }

  /** A device that goes on with what it is answered, while it has patience. */
  #answered(thing: string, transfer: string, answer: FileAnswer): void {
    this.said.push({ transfer, answer });
    const size = this.#sizes.get(transfer) ?? 0;
    if (answer.type === 'upload') {
      this.#sameKey(transfer, answer.dataKey.plaintext);
      this.say(thing, transfer, { type: 'parts', parts: [{ number: 1, bytes: encrypted(size), sha256: HASH }] });
    } else if (answer.type === 'parts') {
      const sent = this.#put(answer.urls[0]?.url ?? '', size);
      this.say(thing, transfer, { type: 'complete', ...sent });
    } else if (answer.type === 'complete') this.promised.add(transfer);
    else if (answer.type === 'offer') {
      this.#notRevoked(thing, transfer);
      this.say(thing, transfer, { type: 'download' });
    } else if (answer.type === 'download') {
      this.#notRevoked(thing, transfer);
      this.#sameKey(transfer, answer.dataKey.plaintext);
      this.say(thing, transfer, { type: 'received', size: answer.size });
    }
  }

  #rejected(thing: string, transfer: string, answer: FileRejection): void {
    this.said.push({ transfer, answer });
    const tries = this.said.filter((each) => each.transfer === transfer && 'code' in each.answer).length;
    if (!answer.retry || tries > ATTEMPTS || !this.#sizes.has(transfer)) return;
    this.schedule(30 * SECOND, () => this.upload({ thing, id: transfer, size: this.#sizes.get(transfer) ?? 0 }));
  }

  #notRevoked(thing: string, id: string): void {
    const { startedBy } = this.rows.get(id) ?? {};
    const at = this.#revoked.get(`${startedBy} ${thing}`);
    const late = at !== undefined && this.now > at + REVOKED_FOR_SURE_MS + this.maxDelayMs;
    this.must(!late, `${id} was granted after its sender had lost the access`);
  }

  #sameKey(id: string, key: string): void {
    this.must((this.#keys.get(id) ?? key) === key, `${id} has two keys`);
    this.#keys.set(id, key);
  }

  #write(before: TransferRow, step: Partial<TransferRow>): void {
    const { id, state } = before;
    const next = { ...before, ...step };
    if (next.state !== state) this.must(mayFollow(next.state, state), `${id} went from ${state} to ${next.state}`);
    for (const name of ['uploadId', 'bytes', 'sha256', 'wrappedKey'] as const) {
      this.must(before[name] === undefined || before[name] === next[name], `${id} got another ${name}`);
    }
    if (next.state === 'STORED' && state !== 'STORED') {
      const object = this.objects.get(objectKeyOf(next.thing, id));
      this.must(!object || (object.etag === next.etag && object.bytes === next.bytes), `${id} is STORED as another`);
    }
    this.rows.set(id, next);
  }

  // The ports of one invocation, in memory.

  ports(): Ports {
    const call = this.invocation();
    const ofThing = (thing: string) => [...this.rows.values()].filter((row) => row.thing === thing);
    return this.#change({
      settings: this.settings,
      now: () => this.now,
      access: (person, thing) =>
        call(() => (this.#revoked.has(`${person} ${thing}`) ? undefined : { role: 'controller', visibleFrom: 0 })),
      transfers: {
        read: (_, id) => call(() => this.rows.get(id)),
        occupied: (thing) => call(() => ({ rows: ofThing(thing), version: this.versions.get(thing) })),
        create: (row, version) =>
          call(() => {
            if (this.rows.has(row.id) || this.versions.get(row.thing) !== version) return false;
            this.rows.set(row.id, row);
            this.versions.set(row.thing, (version ?? 0) + 1);
            const taken = ofThing(row.thing).reduce((sum, each) => sum + (roomOf(each, this.now) ?? 0), 0);
            this.must(taken <= this.settings.quotaBytesPerThing, `${row.thing} has ${taken} bytes`);
            return true;
          }),
        change: (row, step) =>
          call(() => {
            const now = this.rows.get(row.id);
            const same = (['state', 'uploadId', 'bytes'] as const).every((name) => now?.[name] === row[name]);
            if (now && same) this.#write(now, step);
            return now !== undefined && same;
          }),
        progress: () => call(() => undefined),
        waiting: (thing) =>
          call(() =>
            ofThing(thing).filter(
              (row) => row.direction === 'to-device' && ['STORED', 'DELIVERING'].includes(stateOf(row, this.now)),
            ),
          ),
      },
      objects: {
        begin: (thing, transfer) =>
          call(() => {
            this.#made += 1;
            const id = `upload${this.#made}`;
            this.uploads.set(id, { key: objectKeyOf(thing, transfer), at: this.now, parts: new Map() });
            return id;
          }),
        abort: (_, __, id) => call(() => void this.uploads.delete(id)),
        parts: (_, __, id) => call(() => this.uploads.get(id) && [...(this.uploads.get(id)?.parts.values() ?? [])]),
        partUrl: async ({ uploadId }, part) => ({ url: `${uploadId} ${part.number}`, headers: {} }),
        complete: (_, __, id, parts) => call(() => this.#complete(id, parts)),
        find: (thing, transfer) => call(() => this.objects.get(objectKeyOf(thing, transfer))),
        downloadUrl: async (thing, transfer) => objectKeyOf(thing, transfer),
        remove: (key) =>
          call(() => {
            if (this.objects.delete(key)) this.event('Object Deleted', key);
          }),
      },
      keys: {
        generate: (context) =>
          call(() => {
            this.#made += 1;
            const wrapped = JSON.stringify({ key: this.#made, context });
            return { plaintext: `${this.#made}`, wrapped, keyArn: 'arn' };
          }),
        unwrap: (wrapped, context) =>
          call(() => {
            const held = JSON.parse(wrapped);
            this.must(
              JSON.stringify(held.context) === JSON.stringify(context),
              'a key was asked for in another context',
            );
            return `${held.key}`;
          }),
      },
      answers: {
        accepted: (thing, id, answer) => call(() => this.deliver(() => this.#answered(thing, id, answer))),
        rejected: (thing, id, rejection) => call(() => this.deliver(() => this.#rejected(thing, id, rejection))),
      },
      reports: {
        changed: () => {},
        granted: () => {},
        offered: () => {},
        rejected: () => {},
        orphaned: (key) => this.orphaned.push(key),
        failed: () => {},
      },
    });
  }

  #complete(id: string, parts: readonly ObjectPart[]): 'made' | 'gone' | 'changed' {
    const upload = this.uploads.get(id);
    if (!upload) return 'gone';
    if (JSON.stringify([...upload.parts.values()]) !== JSON.stringify(parts)) return 'changed';
    this.uploads.delete(id);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    this.objects.set(upload.key, { bytes, etag: `"object of ${id}"`, at: this.now });
    this.event('Object Created', upload.key);
    return 'made';
  }
}

/** As large as it becomes. */
export function encrypted(size: number): number {
  return Math.min(size + 700, maxEncryptedBytes(size));
}

/** True when nothing more will come of it. */
export function isOver(row: TransferRow, now: number): boolean {
  return hasEnded(stateOf(row, now));
}
