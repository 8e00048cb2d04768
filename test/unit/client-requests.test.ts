/** The typed client against a server of this machine, over real HTTP: what goes out, what comes back, and what goes wrong. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ApiProblem,
  ApiUnreachable,
  type Client,
  type ClientOptions,
  createClient,
  pages,
  UnexpectedAnswer,
} from '@thingstead/client';
import { ROUTES } from '@thingstead/contracts/routes';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answer = (response: ServerResponse, seen: Seen) => void;

let server: Server;
let baseUrl: string;
let seen: Seen[];
/** The next answers, in order; the last one stays. */
let answers: Answer[];
let waits: number[];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(response, { method, url, headers, body });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
  answers = [];
  waits = [];
});

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function client(more: Partial<ClientOptions> = {}): Client {
  const wait = async (ms: number): Promise<void> => void waits.push(ms);
  return createClient({ baseUrl, token: async () => 'token1', wait, ...more });
}

const THING = { thing: 'macdonald-barn1', sensors: [], capabilities: [] };
const COMMAND_ID = '01JD0000000000000000000000';

describe('a request', () => {
  it('has a method for each route of the contracts, under its operation id', () => {
    const ids = Object.values(ROUTES).flatMap((group) =>
      Object.entries(group).map(([id, route]) => [id, route.operationId]),
    );
    expect(Object.keys(client()).toSorted()).toEqual(ids.map(([id]) => id).toSorted());
    expect(ids.every(([id, operationId]) => id === operationId)).toBe(true);
  });

  it('carries its parameters, escaped, its query as text and the token', async () => {
    answers = [json(200, { readings: [] })];
    await client().getTelemetry({
      params: { thing: 'a/b?c' },
      query: { sensor: 'temperature', from: 0, to: 10, limit: 5, cursor: undefined },
    });

    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: '/things/a%2Fb%3Fc/telemetry?sensor=temperature&from=0&to=10&limit=5',
      headers: { authorization: 'Bearer token1' },
      body: '',
    });
  });

  it('carries a body and headers', async () => {
    answers = [json(200, { version: 4, at: 1, desired: { fan: 'on' } })];
    const state = await client().patchState({
      params: { thing: 'macdonald-barn1' },
      headers: { 'if-match': '"3"' },
      body: { desired: { fan: 'on' } },
    });

    expect(state).toEqual({ version: 4, at: 1, desired: { fan: 'on' } });
    expect(seen[0]).toMatchObject({
      method: 'PATCH',
      headers: { 'if-match': '"3"', 'content-type': 'application/json' },
      body: '{"desired":{"fan":"on"}}',
    });
  });

  it('is not made without a name that its path needs', async () => {
    for (const thing of ['', '.', '..']) {
      await expect(client().getThing({ params: { thing } })).rejects.toThrow('/things/{thing} needs thing');
    }
    expect(seen).toEqual([]);
  });

  it('gives nothing where the contract has no answer', async () => {
    answers = [(response) => response.writeHead(204).end()];
    expect(await client().leaveThing({ params: { thing: 'macdonald-barn1' } })).toBeUndefined();
  });

  it('has types that refuse what the contract refuses', () => {
    const { listThings, getThing, deleteMe, giveCommand } = client();
    // Only the types are of interest: nothing is called.
    const wrong = () => [
      // @ts-expect-error a limit is a number
      listThings({ query: { limit: '5' } }),
      // @ts-expect-error there is no such filter
      listThings({ query: { colour: 'red' } }),
      // @ts-expect-error a thing must be named
      getThing(),
      // @ts-expect-error it is to be confirmed
      deleteMe(),
      // @ts-expect-error a command needs its key
      giveCommand({ params: { thing: 'a' }, body: { name: 'reboot' } }),
    ];
    const right = () => [listThings(), listThings({ query: { connected: true } })];
    expect([wrong, right]).toHaveLength(2);
  });
});

describe('a refusal', () => {
  it('is told in the words of the API', async () => {
    const errors = [{ field: 'query.limit', message: 'must be at most 100' }];
    const problem = {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'no',
      correlationId: 'c1',
      errors,
    };
    answers = [json(400, problem, { 'content-type': 'application/problem+json' })];

    const refused = client().listThings({ query: { limit: 1000 } });

    await expect(refused).rejects.toBeInstanceOf(ApiProblem);
    await expect(refused).rejects.toMatchObject({
      message: 'listThings: 400 no',
      ...{ operationId: 'listThings', status: 400, title: 'Bad Request', detail: 'no', correlationId: 'c1', errors },
    });
  });

  it.each([
    ['the gateway', json(404, { message: 'Not Found' }, { 'apigw-requestid': 'r1' }), 404, 'Not Found', 'r1'],
    ['the gateway without words', json(403, { message: null }), 403, 'Forbidden', undefined],
    [
      'something in between',
      (response: ServerResponse) => response.writeHead(502).end('<html>'),
      502,
      'Bad Gateway',
      undefined,
    ],
  ])('may come from %s', async (_who, answer, status, detail, correlationId) => {
    answers = [answer];
    await expect(client().getMe()).rejects.toMatchObject({
      name: 'ApiProblem',
      status,
      detail,
      correlationId,
      errors: [],
    });
  });
});

describe('an answer that fits no contract', () => {
  it.each([
    ['a member of another type', json(200, { things: [{ ...THING, sensors: 'none' }] }), 'things.0.sensors'],
    ['no JSON', (response: ServerResponse) => response.writeHead(200).end('<html>'), 'Expected Object'],
    ['another status', json(201, { things: [] }), 'its status is not 200'],
  ])('is an error that says so: %s', async (_what, answer, words) => {
    answers = [answer];
    const failed = client().listThings();
    await expect(failed).rejects.toBeInstanceOf(UnexpectedAnswer);
    await expect(failed).rejects.toThrow(words);
  });

  it('is not one that has more members than this client knows', async () => {
    answers = [json(200, { things: [{ ...THING, colour: 'red' }], total: 7 })];
    expect(await client().listThings()).toEqual({ things: [THING] });
  });
});

describe('too many requests', () => {
  const refused = json(429, { message: 'Too Many Requests' });

  it('let a GET try again, later each time, and then give up', async () => {
    answers = [refused];
    await expect(client().listThings()).rejects.toMatchObject({ status: 429 });

    expect(seen).toHaveLength(4);
    expect(waits).toHaveLength(3);
    for (const [index, ms] of waits.entries()) expect(ms).toBeLessThan(500 * 2 ** index);
  });

  it('waits at least as long as the answer says', async () => {
    answers = [json(503, {}, { 'retry-after': '7' }), json(200, { things: [] })];
    expect(await client().listThings()).toEqual({ things: [] });
    expect(waits).toEqual([expect.any(Number)]);
    expect(waits[0]).toBeGreaterThanOrEqual(7000);
  });

  it('does not keep a caller waiting for an hour', async () => {
    answers = [json(429, {}, { 'retry-after': '3600' })];
    await expect(client().listThings()).rejects.toMatchObject({ status: 429, retryAfterSeconds: 3600 });
    expect(waits).toEqual([]);
  });

  it('do not repeat what may not be done twice, but do with a key that makes it one', async () => {
    answers = [refused];
    await expect(client().pair({ body: { code: 'ACDEF346' } })).rejects.toMatchObject({ status: 429 });
    expect(seen).toHaveLength(1);

    const command = {
      id: COMMAND_ID,
      thing: 'a',
      name: 'reboot',
      state: 'QUEUED',
      givenBy: 'p',
      givenAt: 1,
      expiresAt: 2,
      changedAt: 1,
    };
    answers = [refused, json(202, command)];
    const request = { params: { thing: 'a' }, headers: { 'idempotency-key': 'k1' }, body: { name: 'reboot' } };
    expect(await client().giveCommand(request)).toEqual(command);
    expect(seen.slice(1).map((each) => each.headers['idempotency-key'])).toEqual(['k1', 'k1']);
  });
});

describe('tokens', () => {
  it('that are not taken any more are changed, once', async () => {
    const token = jest.fn(async (rejected?: string) => (rejected === undefined ? 'old' : 'new'));
    answers = [json(401, { message: 'Unauthorized' }), json(200, { things: [] })];

    await client({ token }).listThings();

    expect(seen.map((each) => each.headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect(token.mock.calls).toEqual([[], ['old']]);
    answers = [json(401, { message: 'Unauthorized' })];
    await expect(client({ token }).listThings()).rejects.toMatchObject({ status: 401, detail: 'Unauthorized' });
    expect(seen).toHaveLength(4);
  });

  it('that stay the same are not tried again', async () => {
    answers = [json(401, { message: 'Unauthorized' })];
    await expect(client().getMe()).rejects.toMatchObject({ status: 401 });
    expect(seen).toHaveLength(1);
  });
});

describe('no answer', () => {
  it('in time, of the head or of the rest, is told from no connection', async () => {
    answers = [() => {}];
    const late = client({ timeoutMs: 30 }).getMe();
    await expect(late).rejects.toBeInstanceOf(ApiUnreachable);
    await expect(late).rejects.toMatchObject({ timedOut: true, message: 'getMe: no answer in time' });

    answers = [(response) => void response.writeHead(200).write('{')];
    await expect(client().getMe({}, { timeoutMs: 30 })).rejects.toMatchObject({ timedOut: true });

    const nowhere = client({ baseUrl: 'http://127.0.0.1:9' }).getMe();
    await expect(nowhere).rejects.toMatchObject({ name: 'ApiUnreachable', timedOut: false });
  });

  it('is wanted any more: the reason of the caller comes back', async () => {
    const leaving = new AbortController();
    answers = [() => leaving.abort(new Error('the page was left'))];
    await expect(client().getMe({}, { signal: leaving.signal })).rejects.toThrow('the page was left');

    const waiting = new AbortController();
    answers = [
      (response, request) => {
        json(429, {})(response, request);
        setImmediate(() => waiting.abort(new Error('left while it waited')));
      },
    ];
    const { getMe } = createClient({ baseUrl, token: async () => 'token1' });
    await expect(getMe({}, { signal: waiting.signal })).rejects.toThrow('left while it waited');
  });
});

describe('pages', () => {
  it('come one after the other, also after a short one', async () => {
    answers = [
      json(200, { things: [THING], cursor: 'p2' }),
      json(200, { things: [], cursor: 'p3' }),
      json(200, { things: [THING] }),
    ];
    const found: string[] = [];
    for await (const { things } of pages(client().listThings, { query: { limit: 1 } })) {
      found.push(...things.map((each) => each.thing));
    }

    expect(found).toEqual(['macdonald-barn1', 'macdonald-barn1']);
    expect(seen.map((each) => each.url)).toEqual([
      '/things?limit=1',
      '/things?limit=1&cursor=p2',
      '/things?limit=1&cursor=p3',
    ]);
  });

  it('begin where they are told to, of any list', async () => {
    answers = [json(200, { readings: [] })];
    const query = { sensor: 'temperature', from: 0, to: 1, cursor: 'p7' };
    for await (const page of pages(client().getTelemetry, { params: { thing: 'a' }, query })) {
      expect(page.readings).toEqual([]);
    }
    expect(seen[0]?.url).toContain('cursor=p7');
  });
});
