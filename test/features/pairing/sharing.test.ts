/** Owners share, transfer and give up; nobody else does. Sites are given by operators, and transferred whole. */
import type { Person } from '../../support/person.ts';
import { unique } from '../../support/unique-name.ts';
import { type PairingPlatform, startPairingPlatform } from './pairing-platform.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

let here: PairingPlatform;
let [ada, ben, cem, operator, support]: Person[] = [];

beforeAll(async () => {
  here = await startPairingPlatform();
  [ada, ben, cem, operator, support] = await Promise.all([
    ...[here.person(), here.person(), here.person()],
    ...[here.person(['operator']), here.person(['support'])],
  ]);
});
afterAll(() => here?.platform.stop());

/** Those of `beforeAll`; it has failed otherwise. */
function people(): { ada: Person; ben: Person; cem: Person; operator: Person; support: Person } {
  if (!ada || !ben || !cem || !operator || !support) throw new Error('nobody is there');
  return { ada, ben, cem, operator, support };
}

async function mayRead(person: Person, thing: string): Promise<boolean> {
  // Leaving would change it; who is asked for the grants of others is refused with 403 when they have any access.
  return (await person.call('GET', `/things/${thing}/grants`)).status !== 404;
}

describe('an owner', () => {
  it('shares for a while, and takes it back', async () => {
    const { ada, ben, cem } = people();
    const { thing } = await here.paired('shared', ada);
    await here.share(ada, `/things/${thing}`, ben, { role: 'controller', accessSeconds: 600 });
    await here.share(ada, `/things/${thing}`, cem, { role: 'viewer' });
    expect(await Promise.all([ada, ben, cem].map((each) => mayRead(each, thing)))).toEqual([true, true, true]);

    await here.platform.advance(601);

    expect(await mayRead(ben, thing)).toBe(false);
    const { body } = await ada.call('GET', `/things/${thing}/grants`);
    expect(body.grants.map(({ person }: { person: string }) => person)).toEqual([ada.person, cem.person]);
    expect((await ada.call('DELETE', `/things/${thing}/grants/${cem.person}`)).status).toBe(204);
    expect(await mayRead(cem, thing)).toBe(false);
    expect((await ada.call('DELETE', `/things/${thing}/grants/${cem.person}`)).status).toBe(404);
    expect((await ada.call('DELETE', `/things/${thing}/grants/${ada.person}`)).status).toBe(409);
  });

  it('transfers: the next one has it from then on, and everybody else loses it', async () => {
    const { ada, ben, cem } = people();
    const { thing } = await here.paired('sold', ada);
    await here.share(ada, `/things/${thing}`, cem, { role: 'controller' });
    const before = await here.grantOf(ada.person, { kind: 'thing', name: thing });
    const { body } = await ada.call('POST', `/things/${thing}/invitations`, { role: 'owner' });
    await here.platform.advance(1);

    const accepted = await ben.call('POST', '/invitations', { token: body.token });

    expect(accepted).toMatchObject({ status: 201, body: { thing, role: 'owner' } });
    expect(accepted.body.visibleFrom).toBeGreaterThan(Number(before?.visibleFrom));
    expect(await Promise.all([ada, ben, cem].map((each) => mayRead(each, thing)))).toEqual([false, true, false]);
    // Sent again, for an answer that was lost; and by somebody else.
    expect(await ben.call('POST', '/invitations', { token: body.token })).toMatchObject({
      status: 201,
      body: accepted.body,
    });
    expect((await cem.call('POST', '/invitations', { token: body.token })).status).toBe(404);
  });

  it('invites once for each invitation, until it is withdrawn or over', async () => {
    const { ada, ben, cem } = people();
    const { thing } = await here.paired('invited', ada);
    const path = `/things/${thing}/invitations`;
    const [first, second, third] = await Promise.all(
      [3600, 3600, 60].map((validSeconds) => ada.call('POST', path, { role: 'viewer', validSeconds })),
    );
    expect((await ada.call('GET', path)).body.invitations).toHaveLength(3);
    expect((await ada.call('DELETE', `${path}/${first?.body.id}`)).status).toBe(204);
    expect((await ada.call('DELETE', `${path}/${first?.body.id}`)).status).toBe(404);
    await here.platform.advance(61);

    expect((await ben.call('POST', '/invitations', { token: first?.body.token })).status).toBe(404);
    expect((await ben.call('POST', '/invitations', { token: third?.body.token })).status).toBe(404);
    const raced = await Promise.all(
      [ben, cem].map((each) => each.call('POST', '/invitations', { token: second?.body.token })),
    );
    expect(raced.map(({ status }) => status).toSorted()).toEqual([201, 404]);
    expect((await ada.call('GET', path)).body.invitations).toEqual([]);
  });

  it.each([
    ['a token that is none', 'nothing'],
    ['a token of nothing', 'thing.nothing.AAAA.BBBB'],
    ['a token with another secret', undefined],
  ])('is not tricked by %s', async (_what, token) => {
    const { ada, ben } = people();
    const { thing } = await here.paired(`tricked${token?.length ?? 0}`, ada);
    const { body } = await ada.call('POST', `/things/${thing}/invitations`, { role: 'viewer' });
    const other = `${body.token.slice(0, -1)}${body.token.endsWith('A') ? 'B' : 'A'}`;

    expect((await ben.call('POST', '/invitations', { token: token ?? other })).status).toBe(404);
  });

  it('has no use for an invitation to what is theirs, and possession has no end', async () => {
    const { ada } = people();
    const { thing } = await here.paired('own', ada);
    const { body } = await ada.call('POST', `/things/${thing}/invitations`, { role: 'viewer' });

    expect((await ada.call('POST', '/invitations', { token: body.token })).status).toBe(409);
    const ending = { role: 'owner', accessSeconds: 3600 };
    expect((await ada.call('POST', `/things/${thing}/invitations`, ending)).status).toBe(400);
  });
});

describe('nobody but the owner shares a thing:', () => {
  const routes = (thing: string, person: string) =>
    [
      ['GET', `/things/${thing}/grants`],
      ['DELETE', `/things/${thing}/grants/${person}`],
      ['POST', `/things/${thing}/invitations`, { role: 'viewer' }],
      ['GET', `/things/${thing}/invitations`],
      ['DELETE', `/things/${thing}/invitations/abc`],
    ] as const;
  let thing: string;

  beforeAll(async () => {
    const { ada, ben } = people();
    thing = (await here.paired('guarded', ada)).thing;
    await here.share(ada, `/things/${thing}`, ben, { role: 'controller' });
  });

  it.each([
    ['a controller', 'ben', 403],
    ['a stranger', 'cem', 404],
    ['the support', 'support', 404],
    ['an operator', 'operator', 404],
  ] as const)('not %s', async (_who, name, status) => {
    const person = people()[name];

    for (const [method, path, body] of routes(thing, people().ada.person)) {
      expect([path, (await person.call(method, path, body)).status]).toEqual([path, status]);
    }
    expect(await mayRead(people().ada, thing)).toBe(true);
  });

  it('and not who was the owner before', async () => {
    const { ada, ben } = people();
    const { thing: sold } = await here.paired('formerly', ada);
    const early = await ada.call('POST', `/things/${sold}/invitations`, { role: 'owner' });
    await here.share(ada, `/things/${sold}`, ben, { role: 'owner' });

    for (const [method, path, body] of routes(sold, ben.person)) {
      expect([path, (await ada.call(method, path, body)).status]).toEqual([path, 404]);
    }
    // An invitation of the time before is void.
    expect((await ada.call('POST', '/invitations', { token: early.body.token })).status).toBe(404);
  });
});

describe('a site', () => {
  it('is made by an operator, has all its things with it, and is transferred whole', async () => {
    const { ada, ben, cem, operator } = people();
    const name = unique('farm');
    const barn = await here.device('farmhouse-barn');
    const thing = barn.thing;
    const put = (owner: string) => operator.call('PUT', '/operator/sites/farmhouse', { owner });
    expect((await put(NOBODY)).status).toBe(404);
    expect((await ada.call('PUT', `/operator/sites/${name}`, { owner: ada.person })).status).toBe(403);

    const made = await put(ada.person);
    expect(made).toMatchObject({ status: 200, body: { site: 'farmhouse', owner: ada.person } });
    expect((await put(ada.person)).body).toEqual(made.body);
    expect(await barn.ask()).toMatchObject({ verdict: 'rejected', error: 'belongs-to-site' });
    expect(await mayRead(ada, thing)).toBe(true);
    expect((await ada.call('DELETE', `/things/${thing}/grant`)).status).toBe(409);
    expect((await ada.call('DELETE', '/sites/farmhouse/grant')).status).toBe(409);
    expect((await ada.call('POST', `/things/${thing}/invitations`, { role: 'owner' })).status).toBe(409);
    await here.share(ada, `/things/${thing}`, ben, { role: 'viewer' });
    await here.share(ada, '/sites/farmhouse', cem, { role: 'controller' });
    expect((await cem.call('DELETE', `/things/${thing}/grant`)).status).toBe(409);
    expect((await ada.call('GET', '/sites/farmhouse/grants')).body.grants).toHaveLength(2);
    expect((await operator.call('DELETE', `/operator/things/${thing}/owner`)).status).toBe(404);

    await here.share(ada, '/sites/farmhouse', cem, { role: 'owner' });

    expect(await Promise.all([ada, ben, cem].map((each) => mayRead(each, thing)))).toEqual([false, false, true]);
    expect((await put(ben.person)).status).toBe(200);
    expect(await Promise.all([ada, ben, cem].map((each) => mayRead(each, thing)))).toEqual([false, true, false]);
  });

  it('gets no owner while a thing of it has one of its own', async () => {
    const { ada, ben, operator } = people();
    const { thing } = await here.paired('meadow-gate', ada);
    const put = () => operator.call('PUT', '/operator/sites/meadow', { owner: ben.person });
    expect((await put()).status).toBe(409);

    expect((await operator.call('DELETE', `/operator/things/${thing}/owner`)).status).toBe(204);

    expect(await mayRead(ada, thing)).toBe(false);
    expect((await put()).status).toBe(200);
    expect(await mayRead(ben, thing)).toBe(true);
  });

  it('counts once: who has as many things as fit is told the number, and what to do', async () => {
    const { operator, cem } = people();
    const hoarder = await here.person();
    let refused: Awaited<ReturnType<Person['call']>> | undefined;
    let things = 0;
    for (; !refused && things < 200; things += 1) {
      const answer = await operator.call('PUT', `/operator/sites/${unique(`s${things}`)}`, { owner: hoarder.person });
      if (answer.status !== 200) refused = answer;
    }

    expect(refused).toMatchObject({ status: 409 });
    expect(refused?.body.detail).toContain(`access to ${things - 1} things and sites`);
    expect(refused?.body.detail).toContain('grouped into a site');
    const { thing } = await here.paired('onetoomany', cem);
    const { body } = await cem.call('POST', `/things/${thing}/invitations`, { role: 'viewer' });
    expect((await hoarder.call('POST', '/invitations', { token: body.token })).status).toBe(409);
    const lamp = await here.device('stilltoomany');
    expect((await hoarder.call('POST', '/pairings', { code: await lamp.code() })).status).toBe(409);
    expect(await here.ownerOf({ kind: 'thing', name: lamp.thing })).toBeUndefined();
  });
});
