/**
 * Every route, called by everyone: stranger, ex-owner, viewer, controller, owner, support, operator, and devices. The table is the
 * oracle, written by hand from what the roles mean; a route without a row fails.
 */
import { ROUTES } from '@thingstead/contracts/routes';
import type { Route } from '@thingstead/contracts/routes/route';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type Cast, type Character, fixtures, PEOPLE, signIn } from './cast.ts';

const ANYONE = PEOPLE;
const READERS = ['viewer', 'controller', 'owner', 'support', 'operator'] as const;
const WRITERS = ['controller', 'owner', 'operator'] as const;
const MEMBERS = ['viewer', 'controller', 'owner'] as const;

interface Row {
  /** Who may. */
  readonly may: readonly Character[];
  /** What they are answered then. */
  readonly status: number;
  readonly body?: unknown;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The thing or site is another one after it was allowed: those cells get their own. */
  readonly uses?: boolean;
  /** What those are answered who may not: by default 403 when they have some access, 404 when they have none. */
  readonly otherwise?: number;
}

const DESIRED = { desired: { power: true } };
/** Of nothing. */
const SHA256 = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const RELEASE = { product: 'lamp', counter: 1 };
/** Signed by nobody. */
const SIGNED = { document: 'e30=', signatures: [{ keyId: '0'.repeat(64), signature: 'AAAA' }] };
const NOBODY = '00000000-0000-4000-8000-000000000000';

/** By operation id. */
const TABLE: Readonly<Record<string, Row>> = {
  getMe: { may: ANYONE, status: 200 },
  putIdentity: { may: ANYONE, status: 403, body: { idToken: 'no token' } },
  exportMe: { may: ANYONE, status: 200 },
  // Not confirmed: nobody is deleted here.
  deleteMe: { may: ANYONE, status: 400 },
  pair: { may: ANYONE, status: 404, body: { code: 'AAAA-AAAA' } },
  acceptInvitation: { may: ANYONE, status: 404, body: { token: 'no.such.invitation' } },
  leaveThing: { may: MEMBERS, status: 204, uses: true },
  listThingGrants: { may: ['owner'], status: 200 },
  removeThingGrant: { may: ['owner'], status: 404 },
  inviteToThing: { may: ['owner'], status: 201, body: { role: 'viewer' }, uses: true },
  listThingInvitations: { may: ['owner'], status: 200 },
  removeThingInvitation: { may: ['owner'], status: 404 },
  leaveSite: { may: ['viewer', 'controller'], status: 204, uses: true },
  listSiteGrants: { may: ['owner'], status: 200 },
  removeSiteGrant: { may: ['owner'], status: 404 },
  inviteToSite: { may: ['owner'], status: 201, body: { role: 'viewer' }, uses: true },
  listSiteInvitations: { may: ['owner'], status: 200 },
  removeSiteInvitation: { may: ['owner'], status: 404 },
  putSite: { may: ['operator'], status: 404, body: { owner: NOBODY }, otherwise: 403 },
  releaseThing: { may: ['operator'], status: 204, uses: true, otherwise: 403 },
  decommissionThing: { may: ['operator'], status: 200, uses: true, otherwise: 403 },
  listThings: { may: ANYONE, status: 200 },
  listFleet: { may: ['support', 'operator'], status: 200, otherwise: 403 },
  getThing: { may: READERS, status: 200 },
  patchThing: { may: WRITERS, status: 200, body: { label: 'Lamp' } },
  getTelemetry: { may: READERS, status: 200, query: 'sensor=temperature&from=0&to=1' },
  getState: { may: READERS, status: 200 },
  patchState: { may: WRITERS, status: 200, body: DESIRED },
  giveCommand: { may: WRITERS, status: 202, body: { name: 'blink' }, headers: { 'idempotency-key': 'k1' } },
  listCommands: { may: READERS, status: 200 },
  getCommand: { may: READERS, status: 404 },
  sendFile: { may: WRITERS, status: 201, body: { name: 'settings.json', size: 10 } },
  sendParts: { may: WRITERS, status: 404, body: { parts: [{ number: 1, bytes: 10, sha256: SHA256 }] } },
  completeFile: {
    may: WRITERS,
    status: 404,
    body: { parts: [{ number: 1, etag: '"e"' }], bytes: 10, sha256: SHA256 },
  },
  listFiles: { may: READERS, status: 200 },
  getFile: { may: READERS, status: 404 },
  // Whoever works here sees that there is a file, and never what is in it.
  downloadFile: { may: ['owner'], status: 404 },
  removeFile: { may: WRITERS, status: 404 },
  publishTrust: { may: ['operator'], status: 409, body: { document: SIGNED }, otherwise: 403 },
  listTrust: { may: ['support', 'operator'], status: 200, otherwise: 403 },
  publishRelease: { may: ['operator'], status: 409, body: { release: SIGNED }, otherwise: 403 },
  completeRelease: { may: ['operator'], status: 404, otherwise: 403 },
  yankRelease: { may: ['operator'], status: 404, body: { reason: 'it burns' }, otherwise: 403 },
  listReleases: { may: ['support', 'operator'], status: 200, otherwise: 403 },
  getRelease: { may: ['support', 'operator'], status: 404, otherwise: 403 },
  getCurrentRelease: { may: ['support', 'operator'], status: 404, otherwise: 403 },
  setCurrentRelease: { may: ['operator'], status: 409, body: { counter: 1 }, otherwise: 403 },
  unsetCurrentRelease: { may: ['operator'], status: 204, otherwise: 403 },
  // There is neither such a release nor such a rollout.
  createRollout: { may: ['operator'], status: 404, body: RELEASE, otherwise: 403 },
  dryRunRollout: { may: ['support', 'operator'], status: 404, body: RELEASE, otherwise: 403 },
  listRollouts: { may: ['support', 'operator'], status: 200, otherwise: 403 },
  getRollout: { may: ['support', 'operator'], status: 404, otherwise: 403 },
  listRolloutDevices: { may: ['support', 'operator'], status: 404, otherwise: 403 },
  getRolloutReport: { may: ['support', 'operator'], status: 404, otherwise: 403 },
  pauseRollout: { may: ['operator'], status: 404, otherwise: 403 },
  resumeRollout: { may: ['operator'], status: 404, otherwise: 403 },
  abortRollout: { may: ['operator'], status: 404, otherwise: 403 },
  retryRollout: { may: ['operator'], status: 404, otherwise: 403 },
  getFirmware: { may: READERS, status: 200 },
};

const ALL: readonly Route[] = Object.values(ROUTES).flatMap((group): Route[] => Object.values(group));
const LIMIT_MS = 180_000;

let platform: Platform;
let cast: Cast;
let make: Awaited<ReturnType<typeof fixtures>>;
let shared: { readonly thing: string; readonly site: string };

beforeAll(async () => {
  platform = await startPlatform();
  cast = await signIn(platform);
  make = await fixtures(platform, cast);
  shared = { thing: (await make.thing()).thing, site: await make.site() };
}, LIMIT_MS);
afterAll(() => platform.stop());

it('has a row for every route, and none besides', () => {
  expect(Object.keys(TABLE).sort()).toEqual(ALL.map(({ operationId }) => operationId).sort());
});

/** The path with the names of this cell's thing and site. */
async function pathOf({ path }: Route, { uses, query }: Row): Promise<string> {
  const thing = uses && path.includes('{thing}') ? (await make.thing()).thing : shared.thing;
  const site = uses && path.includes('{site}') ? await make.site() : shared.site;
  const names: Readonly<Record<string, string>> = {
    ...{ thing, site, person: NOBODY, product: 'fan', counter: '1' },
    ...{ invitation: 'none', command: '0'.repeat(26), transfer: '0'.repeat(26), rollout: '0'.repeat(26) },
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '');
  return query === undefined ? filled : `${filled}?${query}`;
}

/** What someone without the right is answered: a thing that is not theirs is not there. */
function refusedWith(who: Character, { otherwise }: Row): number {
  if (otherwise !== undefined) return otherwise;
  return MEMBERS.some((member) => member === who) ? 403 : 404;
}

describe.each(ALL.map((route) => [route.operationId, route] as const))('%s', (operationId, route) => {
  const row = TABLE[operationId];
  if (!row) return;

  it.each(PEOPLE)(
    `by %s`,
    async (who) => {
      const path = await pathOf(route, { ...row, uses: row.uses === true && row.may.includes(who) });
      const { status, body } = await cast[who].call(route.method, path, row.body, { headers: row.headers ?? {} });

      // The owner of a site may call the route, and is told that owners cannot leave.
      const expected =
        operationId === 'leaveSite' && who === 'owner'
          ? 409
          : row.may.includes(who)
            ? row.status
            : refusedWith(who, row);
      expect({ status, body }).toMatchObject({ status: expected });
    },
    LIMIT_MS,
  );

  it('without a token, or with a device’s name for one', async () => {
    const path = await pathOf(route, { ...row, uses: false });
    for (const token of [null, shared.thing]) {
      const { status } = await cast.owner.call(route.method, path, row.body, { headers: row.headers ?? {}, token });
      expect(status).toBe(401);
    }
  });
});

it('lists things to those who have them, and to nobody else', async () => {
  for (const who of PEOPLE) {
    const { body } = await cast[who].call('GET', '/things');
    const names = body.things.map(({ thing }: { thing: string }) => thing);
    expect([who, names.includes(shared.thing)]).toEqual([who, MEMBERS.some((member) => member === who)]);
  }
});
