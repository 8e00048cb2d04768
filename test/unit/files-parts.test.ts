/** What transfers are made of: keys of objects, room, pages of lists, what is said of parts, what the command line shows. */
import fc from 'fast-check';
import { formatBytes } from '../../cli/src/files/format-bytes.ts';
import { createProgress } from '../../cli/src/files/progress.ts';
import { maxEncryptedBytes, objectKeyOf, type TransferRow, transferOfObject } from '../../contracts/src/file-store.ts';
import { FileName, fileContext } from '../../contracts/src/files.ts';
import { validate } from '../../contracts/src/validate.ts';
import { encryptedFileBytes } from '../../crypto/src/encrypt-file.ts';
import { begin } from '../../lambda/file-transfers/begin.ts';
import type { Refused } from '../../lambda/file-transfers/ports.ts';
import { complete } from '../../lambda/file-transfers/upload.ts';
import { list } from '../../lambda/files/list.ts';
import { encrypted, FilesWorld, SECOND } from './files-world.ts';

const ID = '01JD6Z8W7M3Q5V9X2T4B6N8P0R';

describe('the key of an object', () => {
  it('names thing and transfer, and nothing else is one', () => {
    expect(transferOfObject(objectKeyOf('barn-1', ID))).toEqual({ thing: 'barn-1', transfer: ID });
    for (const key of [
      `files/barn-1/${ID}/x`,
      `files/../${ID}`,
      `files//${ID}`,
      `file/barn/${ID}`,
      'files/barn/x',
      '',
    ]) {
      expect([key, transferOfObject(key)]).toEqual([key, undefined]);
    }
  });
});

it('a file takes no more when it is encrypted than is reserved for it', () => {
  const context = fileContext({ stage: 's'.repeat(64), thing: 't'.repeat(64), transfer: ID, direction: 'from-device' });
  const dataKey = { plaintext: '', wrapped: Buffer.alloc(400).toString('base64'), keyArn: 'a'.repeat(100), context };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (size) => {
      expect(encryptedFileBytes(size, dataKey)).toBeLessThanOrEqual(maxEncryptedBytes(size));
    }),
  );
});

it.each(['../passwd', 'a/b', 'a\\b', '.', '..', '', 'a\u0000', 'a\nb', '\ud800', 'x'.repeat(201)])(
  'a file is not called %j',
  (name) => {
    expect(validate(FileName, name).ok).toBe(false);
  },
);

describe('lists', () => {
  const row = (id: string, startedAt: number, direction: TransferRow['direction']): TransferRow => ({
    ...{ thing: 'barn', id, direction, name: 'log', contentType: 'a/b', size: 1, state: 'STORED' },
    ...{ startedAt, changedAt: startedAt, wrappedKey: 'w', keyArn: 'a', endsAt: 10_000, expiresAt: 100 },
  });

  it('page by page are the same as all at once: newest first, of one’s own time, each once', async () => {
    const rows = fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 0, max: 10_000 }).map((n) => String(n).padStart(26, '0')),
        startedAt: fc.integer({ min: 0, max: 20 }),
        direction: fc.constantFrom('from-device' as const, 'to-device' as const),
      }),
      { selector: ({ id }) => id, maxLength: 350 },
    );
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 0, max: 20 }),
        fc.constantFrom(undefined, 'to-device' as const),
        async (given, limit, from, direction) => {
          const all = given
            .map(({ id, startedAt, direction: way }) => row(id, startedAt, way))
            .toSorted((a, b) => (a.id < b.id ? 1 : -1));
          const lists = {
            page: async (_: string, before: string | undefined, count: number) => {
              const rest = all.filter(({ id }) => before === undefined || id < before);
              // DynamoDB says that there may be more when a page is full, also when there is not.
              return { rows: rest.slice(0, count), more: rest.length >= count };
            },
          };
          const seen: string[] = [];
          let before: string | undefined;
          do {
            const wanted = { thing: 'barn', from, direction, state: undefined, before, limit };
            const page = await list(wanted, { lists, now: () => 5000 });
            expect(page.rows.length).toBeLessThanOrEqual(limit);
            seen.push(...page.rows.map(({ id }) => id));
            before = page.cursor;
          } while (before !== undefined);
          const meant = all.filter((each) => each.startedAt >= from && (!direction || each.direction === direction));
          expect(seen).toEqual(meant.map(({ id }) => id));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('what is said of an upload', () => {
  async function uploading(size = 500) {
    const world = new FilesWorld();
    const ports = world.ports();
    const running = <Result>(call: Promise<Result>): Promise<Result> => {
      void call.catch(() => undefined);
      return world.run(60 * SECOND).then(() => call);
    };
    const sender = { startedBy: 'mary', authority: 'grant' } as const;
    const file = { thing: 'gate', id: ID, direction: 'to-device', name: 'n', contentType: 'a/b', size } as const;
    const begun = await running(begin({ ...file, ...sender }, ports));
    if (!begun.ok) throw new Error(begun.reason);
    const { uploadId = '' } = begun.value.row;
    const sha256 = `${'A'.repeat(43)}=`;
    world.uploads.get(uploadId)?.parts.set(1, { number: 1, etag: '"e"', bytes: encrypted(size), sha256 });
    const say = async (sent: Partial<Parameters<typeof complete>[1]>) =>
      running(
        complete(
          world.rows.get(ID),
          { parts: [{ number: 1, etag: '"e"' }], bytes: encrypted(size), sha256, ...sent },
          ports,
        ),
      );
    return { world, say, uploadId };
  }

  it.each<[string, object, Partial<Refused>]>([
    ['another part', { parts: [{ number: 1, etag: '"f"' }] }, { code: 'checksum', retry: true }],
    [
      'a part that is not there',
      {
        parts: [
          { number: 1, etag: '"e"' },
          { number: 2, etag: '"f"' },
        ],
      },
      { code: 'checksum', retry: true },
    ],
    ['another number', { parts: [{ number: 2, etag: '"e"' }] }, { code: 'checksum', retry: true }],
    ['another size', { bytes: 5 }, { code: 'checksum', retry: true }],
  ])('is refused: %s', async (_what, sent, expected) => {
    const { say, world } = await uploading();

    expect(await say(sent)).toMatchObject({ ok: false, ...expected });

    expect(world.rows.get(ID)).toMatchObject({ state: 'UPLOADING' });
    expect(await say({})).toMatchObject({ ok: true });
  });

  it('is refused when it was said otherwise before, and is right when it is said again', async () => {
    const { say } = await uploading();
    expect(await say({})).toMatchObject({ ok: true, value: { state: 'STORED' } });

    expect(await say({ sha256: `${'B'.repeat(43)}=` })).toMatchObject({ ok: false, code: 'checksum', retry: false });
    expect(await say({})).toMatchObject({ ok: true });
  });

  it('with parts that are more than the file may take makes no object', async () => {
    const { say, world, uploadId } = await uploading();
    const parts = world.uploads.get(uploadId)?.parts;
    parts?.set(1, { number: 1, etag: '"e"', bytes: maxEncryptedBytes(500) + 1, sha256: undefined });

    expect(await say({ bytes: maxEncryptedBytes(500) + 1 })).toMatchObject({ ok: false, code: 'too-large' });
    expect([...world.objects]).toEqual([]);
  });

  it('after S3 has thrown the parts away ends the transfer', async () => {
    const { say, world } = await uploading();
    world.uploads.clear();

    expect(await say({})).toMatchObject({ ok: false, code: 'expired' });
    expect(world.rows.get(ID)).toMatchObject({ state: 'EXPIRED', reason: 'its parts are gone' });
  });
});

describe('the command line', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [8 * 1024 ** 2, '8.0 MiB'],
    [5 * 1024 ** 4, '5120.0 GiB'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('says each tenth once where nobody sees a bar', () => {
    const said: string[] = [];
    const progress = createProgress(undefined, (text) => said.push(text));
    for (const done of [0, 1, 15, 19, 20, 100]) progress.at('sending', done, 100);
    progress.at('fetching', 0, 0);
    progress.stop();

    expect(said).toEqual(['sending 0 %', 'sending 10 %', 'sending 20 %', 'sending 100 %', 'fetching 100 %']);
  });
});
