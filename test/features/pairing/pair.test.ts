/** A person types the code that a device shows, owns the thing, shares it and gives it up. */
import { unique } from '../../support/unique-name.ts';
import { type PairingPlatform, startPairingPlatform } from './pairing-platform.ts';

let here: PairingPlatform;

beforeAll(async () => {
  here = await startPairingPlatform();
});
afterAll(() => here?.platform.stop());

describe('a person with a new device', () => {
  it('types the code that it shows, owns it, shares it, and gives it up', async () => {
    const [lamp, ada, ben] = await Promise.all([here.device('lamp'), here.person(), here.person()]);
    const { thing } = lamp;
    const target = { kind: 'thing', name: thing } as const;

    const answer = await lamp.ask({ id: 'first' });
    expect(answer).toEqual({
      verdict: 'accepted',
      id: 'first',
      code: expect.stringMatching(/^[34679ACDEFGHJKMNPQRTVWXY]{8}$/),
      expiresAt: expect.any(Number),
    });
    const code = answer.code ?? '';
    const typed = `${code.slice(0, 4).toLowerCase()}-${code.slice(4)}`;
    const pairing = await ada.call('POST', '/pairings', { code: typed });
    expect(pairing).toMatchObject({ status: 201, body: { thing, role: 'owner', visibleFrom: expect.any(Number) } });
    expect(await lamp.ask()).toMatchObject({ verdict: 'rejected', error: 'already-owned' });

    const invitation = await ada.call('POST', `/things/${thing}/invitations`, { role: 'viewer' });
    expect(invitation).toMatchObject({ status: 201, body: { role: 'viewer', token: expect.any(String) } });
    const accepted = await ben.call('POST', '/invitations', { token: invitation.body.token });
    const { visibleFrom } = pairing.body;
    expect(accepted).toMatchObject({ status: 201, body: { thing, role: 'viewer', visibleFrom } });
    expect((await ada.call('GET', `/things/${thing}/grants`)).body).toEqual({
      grants: [
        { person: ada.person, role: 'owner', grantedAt: visibleFrom },
        { person: ben.person, role: 'viewer', grantedAt: expect.any(Number) },
      ],
    });

    expect((await ada.call('DELETE', `/things/${thing}/grant`)).status).toBe(204);

    expect(await here.ownerOf(target)).toBeUndefined();
    expect(await here.grantOf(ada.person, target)).toBeUndefined();
    expect(await here.grantOf(ben.person, target)).toBeUndefined();
    expect((await ada.call('GET', `/things/${thing}/grants`)).status).toBe(404);
    expect(await lamp.ask()).toMatchObject({ verdict: 'accepted' });
  });

  it('gets the same answer when the code is sent again, and nobody else gets it', async () => {
    const [lamp, ada, ben] = await Promise.all([here.device('lamp2'), here.person(), here.person()]);
    const code = await lamp.code();
    const first = await ada.call('POST', '/pairings', { code });

    expect(await ada.call('POST', '/pairings', { code })).toMatchObject({ status: 201, body: first.body });
    expect((await ben.call('POST', '/pairings', { code })).status).toBe(404);
    await ada.call('DELETE', `/things/${lamp.thing}/grant`);
    expect((await ada.call('POST', '/pairings', { code })).status).toBe(404);
  });
});

describe('a device that asks for a code', () => {
  it('voids the one before', async () => {
    const [lamp, ada] = await Promise.all([here.device('lamp3'), here.person()]);
    const before = await lamp.code();
    const code = await lamp.code();

    expect((await ada.call('POST', '/pairings', { code: before })).status).toBe(404);
    expect((await ada.call('POST', '/pairings', { code })).status).toBe(201);
  });

  it('is told no after five in ten minutes, and yes after that', async () => {
    const lamp = await here.device('lamp4');
    for (let n = 0; n < 5; n += 1) await lamp.code();

    expect(await lamp.ask({ id: 'six' })).toMatchObject({ verdict: 'rejected', id: 'six', error: 'too-many-requests' });
    await here.platform.advance(601);
    expect(await lamp.ask()).toMatchObject({ verdict: 'accepted' });
  });

  it('in a message that is no request is told so', async () => {
    const lamp = await here.device('lamp5');

    for (const message of ['nonsense', '[]', { id: '' }, { id: 'x', thing: 'other' }]) {
      expect(await lamp.ask(message)).toEqual({
        verdict: 'rejected',
        error: 'invalid-request',
        reason: expect.any(String),
      });
    }
  });

  it('shows one that holds for ten minutes', async () => {
    const [lamp, ada] = await Promise.all([here.device('lamp6'), here.person()]);
    const code = await lamp.code();
    await here.platform.advance(601);

    expect((await ada.call('POST', '/pairings', { code })).status).toBe(404);
    const again = await lamp.code();
    await here.platform.advance(500);
    await ada.refresh();
    expect((await ada.call('POST', '/pairings', { code: again })).status).toBe(201);
  });

  it('cannot ask for another, nor hear its code', async () => {
    const lamp = await here.device('lamp7');

    expect(await lamp.client.tryPublish(`device/${unique('lamp6')}/pairing/v1`, '{}')).toBe('closed');
    const eavesdropper = await here.device('lamp8');
    expect(await eavesdropper.client.trySubscribe(`device/${unique('lamp6')}/pairing/v1/accepted`)).toBe('closed');
  });
});
