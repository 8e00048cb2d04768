/** The agent's HTTP to S3: what it sends and takes, and what it makes of connections that break, lie or stall. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { httpObjectStore } from '../../device/src/files/object-store.ts';
import { ManualClock } from '../support/manual-clock.ts';

let server: Server;
let url: string;
let clock: ManualClock;
let answer: (request: IncomingMessage, response: ServerResponse) => unknown;
const never = new AbortController().signal;

beforeEach(async () => {
  clock = new ManualClock();
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/object?signed=1`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const chunked = (data: Buffer): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(data.length / 65_536) }, (_, at) => data.subarray(at * 65_536, (at + 1) * 65_536)),
  );

describe('a part that is put', () => {
  const data = randomBytes(3_000_000);
  const put = (body = chunked(data), signal = never) =>
    httpObjectStore(clock).put({ url, headers: { 'x-amz-checksum-sha256': 'abc' }, body, bytes: data.length, signal });

  it('arrives as it is, with the headers that were signed and its length', async () => {
    let got = Buffer.alloc(0);
    let headers: IncomingMessage['headers'] = {};
    answer = async (request, response) => {
      headers = request.headers;
      got = await buffer(request);
      response.setHeader('etag', '"e1"').end();
    };
    expect(await put()).toEqual({ status: 200, etag: '"e1"', code: '' });
    expect(got.equals(data)).toBe(true);
    expect(headers).toMatchObject({ 'x-amz-checksum-sha256': 'abc', 'content-length': '3000000' });
    expect(headers['transfer-encoding']).toBeUndefined();
  });

  it('that S3 refuses before it has all of it gives the code, and nothing else of what S3 says', async () => {
    answer = (_, response) => {
      response.writeHead(403, { connection: 'close' });
      response.end('<Error><Code>AccessDenied</Code><Message>Request has expired</Message><Secret/></Error>');
    };
    expect(await put()).toEqual({ status: 403, etag: '', code: 'AccessDenied' });
  });

  it('is tried later when the connection breaks, or there is none', async () => {
    answer = (request) => request.once('data', () => request.socket.destroy());
    await expect(put()).rejects.toMatchObject({ name: 'TryLater' });
    await new Promise((resolve) => server.close(resolve));
    await expect(put()).rejects.toMatchObject({ name: 'TryLater', message: expect.stringContaining('ECONNREFUSED') });
    server.listen();
  });

  it('is tried later when the file cannot be read', async () => {
    answer = () => {};
    const broken = Readable.from(
      (function* () {
        yield data.subarray(0, 1000);
        throw new Error('EIO');
      })(),
    );
    await expect(put(broken)).rejects.toThrow('EIO');
  });

  it('stops when it is told to, with the reason', async () => {
    const stop = new AbortController();
    const reason = new Error('cancelled');
    answer = (request) => request.once('data', () => stop.abort(reason));
    await expect(put(undefined, stop.signal)).rejects.toBe(reason);
  });
});

describe('an object that is fetched', () => {
  const data = randomBytes(1_000_000);
  const taken: Buffer[] = [];
  const get = (from: number, to: number, take?: (chunk: Buffer) => Promise<void>, signal = never) => {
    taken.length = 0;
    const all = async (chunk: Buffer) => void taken.push(chunk);
    return httpObjectStore(clock).get({ url, etag: 'e1', from, to, take: take ?? all, signal });
  };

  it('comes from where it is asked for, under the condition that it is the same', async () => {
    let headers: IncomingMessage['headers'] = {};
    answer = (request, response) => {
      headers = request.headers;
      response.writeHead(206).end(data.subarray(1000));
    };
    await get(1000, data.length);
    expect(headers).toMatchObject({ range: `bytes=1000-${data.length - 1}`, 'if-match': '"e1"' });
    expect(Buffer.concat(taken).equals(data.subarray(1000))).toBe(true);
  });

  it.each([
    ['has expired', 403, 'AccessDenied'],
    ['is answered as a whole, from the beginning', 200, ''],
  ])('is tried later when it %s', async (_, status, code) => {
    answer = (_request, response) => response.writeHead(status).end(code && `<Error><Code>${code}</Code></Error>`);
    await expect(get(1000, 2000)).rejects.toMatchObject({ name: 'TryLater', message: `S3 answers ${status}: ${code}` });
    expect(taken).toEqual([]);
  });

  it('is told from another one', async () => {
    answer = (_request, response) => response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
    await expect(get(1000, 2000)).rejects.toMatchObject({ name: 'OtherObject' });
  });

  it('is not taken further than to where it was to end', async () => {
    let sent = 0;
    answer = (request, response) => {
      response.writeHead(206);
      const more = (): void => {
        while (!request.socket.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    };
    await expect(get(0, 200_000)).rejects.toThrow('more than was promised');
    expect(Buffer.concat(taken).length).toBeLessThanOrEqual(200_000);
    expect(sent).toBeLessThan(20_000_000);
  });

  it('is tried later when it breaks off, and what has come is kept', async () => {
    answer = (_, response) => {
      response.writeHead(206, { 'content-length': '1000' });
      response.write(data.subarray(0, 400), () => response.destroy());
    };
    await expect(get(0, 1000)).rejects.toMatchObject({ name: 'TryLater' });
    answer = (_, response) => response.writeHead(206).end(data.subarray(0, 400));
    await expect(get(0, 1000)).rejects.toMatchObject({ name: 'TryLater' });
    expect(Buffer.concat(taken)).toHaveLength(400);
  });

  it('is given up for this time when a minute brings almost nothing', async () => {
    const came: number[] = [];
    answer = (_, response) => {
      response.writeHead(206);
      response.write(Buffer.alloc(100));
    };
    const fetched = get(0, 1_000_000, async (chunk) => void came.push(chunk.length));
    fetched.catch(() => {});
    while (came.length === 0) await turn();
    clock.advance(60_000);
    await expect(fetched).rejects.toMatchObject({ name: 'TryLater', message: expect.stringContaining('too slow') });
  });

  it('comes no faster than it is taken, and ends with the error of who takes it', async () => {
    let sent = 0;
    answer = (_, response) => {
      response.writeHead(206);
      Readable.from(
        (function* () {
          for (let at = 0; at < 1000; at += 1) {
            sent += 65_536;
            yield Buffer.alloc(65_536);
          }
        })(),
      ).pipe(response);
    };
    let go = (): void => {};
    const full = new Error('ENOSPC');
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const fetched = get(0, 65_536_000, () => wait.then(() => Promise.reject(full)));
    fetched.catch(() => {});
    for (let turns = 0; turns < 2000; turns += 1) await turn();
    expect(sent).toBeLessThan(30_000_000);
    go();
    await expect(fetched).rejects.toBe(full);
  });
});
