/** What servers of images do wrong, and what the device says of it: each over real HTTP, and each through a whole update. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../device/src/clock.ts';
import { downloadImage } from '../../device/src/firmware/download.ts';
import { type HttpGet, httpGet } from '../../device/src/firmware/http-get.ts';
import { FirmwareWorld, release } from './agent-firmware-world.ts';
import { FirmwareDisk } from './firmware-disk.ts';

const ETAG = '"image"';
const CONTENT = Buffer.from('0123456789'.repeat(2_000));
const SIZE = CONTENT.length;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`;
}

/** One try, from a byte on. */
async function fetchFrom(from: number, listener: RequestListener, windowMs = 20_000) {
  const disk = new FirmwareDisk();
  disk.create('/image').write(CONTENT.subarray(0, from));
  const url = await serve(listener);
  const result = await downloadImage({
    ...{ get: httpGet, fs: disk, clock: systemClock(), url, etag: ETAG, size: SIZE, file: '/image', from },
    ...{ slowest: { bytes: 1000, windowMs }, synced: () => {}, signal: new AbortController().signal },
  });
  return { result, content: disk.read('/image') };
}

const good: RequestListener = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (request.headers['if-match'] !== ETAG) return response.writeHead(412).end();
  const range = { 'content-range': `bytes ${from}-${SIZE - 1}/${SIZE}` };
  return response.writeHead(from ? 206 : 200, { etag: ETAG, ...(from && range) }).end(CONTENT.subarray(from));
};

describe('a download', () => {
  it('takes a whole image, and the rest of one', async () => {
    for (const from of [0, 1, 7_000, SIZE - 1]) {
      const { result, content } = await fetchFrom(from, good);
      expect(result).toEqual({ kind: 'whole' });
      expect(content.equals(CONTENT)).toBe(true);
    }
  });

  const range = (from: number) => ({ etag: ETAG, 'content-range': `bytes ${from}-${SIZE - 1}/${SIZE}` });
  it.each<[string, number, RequestListener, object]>([
    [
      'ranges are ignored',
      5,
      (_, to) => to.writeHead(200, { etag: ETAG }).end(CONTENT),
      { kind: 'cut', startOver: true },
    ],
    ['another range', 5, (_, to) => to.writeHead(206, range(4)).end(CONTENT), { kind: 'cut', startOver: true }],
    ['a range of no size', 5, (_, to) => to.writeHead(206, { etag: ETAG }).end(), { kind: 'cut', startOver: true }],
    ['less than the range', 5, (_, to) => to.writeHead(416).end(), { kind: 'cut', startOver: true }],
    ['another object', 0, (_, to) => to.writeHead(200, { etag: '"other"' }).end(CONTENT), { failure: 'mix-and-match' }],
    ['the object has changed', 5, (_, to) => to.writeHead(412).end(), { kind: 'refused', failure: 'mix-and-match' }],
    [
      'a redirect',
      0,
      (_, to) => to.writeHead(302, { location: 'http://evil.example/' }).end(),
      { failure: 'arbitrary-software' },
    ],
    ['an expired grant', 0, (_, to) => to.writeHead(403).end(), { kind: 'expired' }],
    ['trouble', 0, (_, to) => to.writeHead(503).end(), { kind: 'cut', failure: 'truncated' }],
    [
      'more than was signed, as it says',
      0,
      (_, to) => to.writeHead(200, { etag: ETAG, 'content-length': SIZE + 1 }).end(Buffer.alloc(SIZE + 1)),
      { kind: 'refused', failure: 'oversize' },
    ],
    [
      'less than was signed, as it says',
      0,
      (_, to) => to.writeHead(200, { etag: ETAG, 'content-length': SIZE - 1 }).end(CONTENT.subarray(1)),
      { kind: 'refused', failure: 'truncated' },
    ],
    [
      'a connection that breaks',
      0,
      (_, to) => {
        to.writeHead(200, { etag: ETAG, 'content-length': SIZE }).write(CONTENT.subarray(0, 9), () => to.destroy());
      },
      { kind: 'cut', failure: 'truncated' },
    ],
    [
      'fewer bytes, and a good end',
      0,
      (_, to) => to.writeHead(200, { etag: ETAG }).end(CONTENT.subarray(0, SIZE - 1)),
      { kind: 'cut', failure: 'truncated' },
    ],
  ])('from a server with %s', async (_name, from, listener, expected) => {
    const { result } = await fetchFrom(from, listener);
    expect(result).toMatchObject(expected);
  });

  it('from a server that never ends takes no byte more than was signed', async () => {
    let sent = 0;
    const { result, content } = await fetchFrom(0, (_request, response) => {
      response.writeHead(200, { etag: ETAG });
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1024))) sent += 1024;
      };
      response.on('drain', send);
      send();
    });
    expect(result).toMatchObject({ kind: 'refused', failure: 'endless-data' });
    expect(content.length).toBeLessThanOrEqual(SIZE);
    expect(sent).toBeGreaterThan(SIZE);
  });

  it('from a server that drips is given up, also before its first byte', async () => {
    const dripping: RequestListener = (_request, response) => {
      response.writeHead(200, { etag: ETAG });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    for (const listener of [dripping, (() => {}) as RequestListener]) {
      const { result } = await fetchFrom(0, listener, 200);
      expect(result).toMatchObject({ kind: 'cut', failure: 'slow-retrieval' });
    }
  });
});

describe('an update from a server that', () => {
  const next = release(2, 'works');
  const size = next.content.length;
  const answer =
    (status: number, headers: object, ...chunks: readonly Buffer[]) =>
    async () => ({
      status,
      headers: { etag: ETAG, ...headers },
      body: (async function* () {
        yield* chunks;
      })(),
    });
  const other = Buffer.concat([next.content.subarray(1), Buffer.from('x')]);

  it.each<[string, string, HttpGet]>([
    ['never ends', 'endless-data', answer(200, {}, next.content, Buffer.from('x'))],
    ['has more', 'oversize', answer(200, { 'content-length': String(size + 1) })],
    ['has less', 'truncated', answer(200, { 'content-length': String(size - 1) })],
    ['always breaks off', 'truncated', answer(200, {}, next.content.subarray(0, 10))],
    ['has another object', 'mix-and-match', answer(200, { etag: '"other"' }, next.content)],
    ['sends other bytes of the same length', 'hash-mismatch', answer(200, {}, other)],
    ['sends elsewhere', 'arbitrary-software', answer(307, { location: 'https://evil.example/' })],
    ['does not know the grant', 'no-grant', answer(403, {})],
    ['ignores ranges, and always breaks off', 'truncated', answer(200, {}, next.content.subarray(0, size - 1))],
    [
      'drips',
      'slow-retrieval',
      async (_url, _headers, signal) => ({
        status: 200,
        headers: { etag: ETAG },
        body: (async function* () {
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
          yield Buffer.alloc(0);
        })(),
      }),
    ],
  ])('%s is refused as %s, and nothing that can be started was touched', async (_name, failure, get) => {
    const first = new FirmwareWorld();
    first.desired = release(1, 'works');
    await first.run();
    const world = new FirmwareWorld(first.disk);
    world.desired = next;
    world.get = get;
    const operations = world.disk.trace.length;
    await world.run();

    expect(world.said.at(-1)).toMatchObject({ state: 'FAILED', by: 1, status: { failure } });
    expect(world.launched.every(({ onTrial, counter }) => !onTrial && counter === 1)).toBe(true);
    expect(
      world.disk.namesSince(operations).filter((name) => !/^(image|update\.\d(\.draft)?|trust\.\d)$/.test(name)),
    ).toEqual([]);
  });
});
