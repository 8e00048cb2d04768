/** Codes and guesses, invitations and their ends, without a platform: every call is seen. */
import { PAIRING_ALPHABET } from '@thingstead/contracts/pairing';
import { PairingWorld, START } from './pairing-world.ts';

const MINUTE = 60_000;

let world: PairingWorld;
let calls: string[];

beforeEach(() => {
  world = new PairingWorld();
  calls = [];
  world.disturb = (point) => void calls.push(point);
});

function pair(person: string, code: string) {
  return world.request({ operation: 'pair', person, body: { code } });
}

function onThing(operation: 'inviteToThing' | 'leaveThing' | 'listThingGrants', person: string, body?: unknown) {
  return world.request({ operation, person, params: { thing: 'lamp' }, body });
}

/** Gives the token. */
async function invited(owner: string, body: object): Promise<string> {
  return (await onThing('inviteToThing', owner, body)).body.token;
}

function accept(person: string, token: string) {
  return world.request({ operation: 'acceptInvitation', person, body: { token } });
}

describe('a wrong code', () => {
  it('makes the same calls and gets the same answer whether its first characters are known or not', async () => {
    const code = await world.code('lamp');
    const seen = [];
    for (const sameSelector of [true, false]) {
      calls = [];
      const answer = await pair(`eve${sameSelector}`, world.wrongCode(code, sameSelector));
      const { correlationId: _, ...body } = answer.body;
      seen.push({ calls, status: answer.status, body });
    }

    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).toMatchObject({ status: 404, calls: expect.arrayContaining(['after begin', 'after take']) });
  });

  it('voids the code that it begins with, after five', async () => {
    const code = await world.code('lamp');
    for (let n = 0; n < 5; n += 1) {
      expect((await pair(`eve${n}`, world.wrongCode(code, true))).status).toBe(404);
    }

    expect((await pair('ada', code)).status).toBe(404);
    expect((await pair('ada', await world.code('lamp'))).status).toBe(201);
  });

  it('is counted before it is looked at: of twenty at the same time ten are looked at', async () => {
    const code = await world.code('lamp');
    const answers = await Promise.all(Array.from({ length: 20 }, () => pair('eve', world.wrongCode(code, false))));

    expect(answers.filter(({ status }) => status === 404)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
    expect(answers.at(-1)?.headers).toMatchObject({ 'retry-after': '600' });
  });

  it('locks out until ten minutes after the last that was counted', async () => {
    const code = await world.code('lamp');
    for (let n = 0; n < 10; n += 1) {
      await pair('eve', world.wrongCode(code, false));
      world.now += MINUTE / 2;
    }
    world.now = START + 4.5 * MINUTE + 10 * MINUTE - 1;
    expect((await pair('eve', code)).status).toBe(429);
    world.now += 1;

    expect((await pair('eve', await world.code('lamp'))).status).toBe(201);
  });

  it('is one, however often right ones are between', async () => {
    for (let n = 0; n < 12; n += 1) {
      expect((await pair('ada', await world.code(`lamp${n}`))).status).toBe(201);
      world.now += MINUTE;
    }
  });
});

describe('a code', () => {
  it('is drawn without favour: every letter is as likely as the others', async () => {
    let drawn = 0;
    const limits = new Set<number>();
    const ports = world.codesPorts();
    const counts = new Map<string, number>();
    world.codesPorts = () => ({
      ...ports,
      randomBelow(limit) {
        limits.add(limit);
        return drawn++ % limit;
      },
    });
    for (let n = 0; n < 300; n += 1) {
      // The code before is over: no draw is turned down for its first characters.
      world.now += 11 * MINUTE;
      for (const letter of await world.code(`lamp${n}`)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }

    expect([...limits]).toEqual([PAIRING_ALPHABET.length]);
    expect([...counts.keys()].toSorted().join('')).toBe(PAIRING_ALPHABET);
    expect(new Set(counts.values())).toEqual(new Set([100]));
  });

  it('is stored as a hash only', async () => {
    const code = await world.code('lamp');

    expect(JSON.stringify([...world.rows.codes, ...world.rows.shown])).not.toContain(code.slice(3));
  });

  it('of another thing with the same first characters stays, until it is over or void', async () => {
    const letters = [...'000000000000000000000000'].map(Number);
    const ports = world.codesPorts();
    world.codesPorts = () => ({ ...ports, randomBelow: () => letters.shift() ?? 1 });
    const first = await world.code('lamp');
    // Two draws begin as the first does; the third does not.
    const second = await world.code('kettle');

    expect(first.slice(0, 3)).toBe('333');
    expect(second.slice(0, 3)).toBe('444');
    expect((await pair('ada', first)).status).toBe(201);
    expect((await pair('ben', second)).status).toBe(201);
    letters.push(...Array(8).fill(0));
    world.now += 11 * MINUTE;
    expect((await world.code('fan')).slice(0, 3)).toBe('333');
  });

  it('holds beside its twin when the event came twice, and both are void when one is used', async () => {
    await world.ask('lamp', { id: 'once' }, START);
    await world.ask('lamp', { id: 'once' }, START);
    const [first, second] = world.answers.map(({ code }) => String(code));

    expect((await pair('ada', first ?? '')).status).toBe(201);
    expect((await pair('ben', second ?? '')).status).toBe(404);
  });

  it('is for the person who used it, also when their answer was lost', async () => {
    const code = await world.code('lamp');
    world.disturb = (point) => {
      if (point === 'after commit') throw new Error('cut off');
    };
    expect((await pair('ada', code)).status).toBe(500);
    world.disturb = () => {};

    expect(await pair('ada', code)).toMatchObject({ status: 201, body: { thing: 'lamp', visibleFrom: START } });
    expect((await pair('ben', code)).status).toBe(404);
  });

  it.each([
    ['nothing1', 'no-such-thing', undefined],
    ['lamp', 'already-owned', 'thing'],
    ['farm-barn', 'belongs-to-site', 'site'],
  ])('is not given to %s: %s', async (thing, error, owned) => {
    if (owned === 'thing') await pair('ada', await world.code(thing));
    if (owned === 'site') {
      const given = { params: { site: 'farm' }, body: { owner: 'ada' }, person: 'op', groups: 'operator' };
      expect((await world.request({ operation: 'putSite', ...given })).status).toBe(200);
    }

    await world.ask(thing, { id: 'x' });

    expect(world.answers.at(-1)).toMatchObject({ thing, id: 'x', error });
  });
});

describe('an invitation', () => {
  beforeEach(async () => {
    await pair('ada', await world.code('lamp'));
  });

  it('gives nothing once the access that it would give is over', async () => {
    const token = await invited('ada', { role: 'viewer', accessSeconds: 60 });
    world.now += MINUTE;

    expect((await accept('ben', token)).status).toBe(404);
  });

  it('that is accepted takes the place of what there was', async () => {
    await accept('ben', await invited('ada', { role: 'controller' }));
    await accept('ben', await invited('ada', { role: 'viewer', accessSeconds: 60 }));

    expect((await onThing('listThingGrants', 'ada')).body.grants).toMatchObject([
      { person: 'ada', role: 'owner' },
      { person: 'ben', role: 'viewer', endsAt: START + MINUTE },
    ]);
  });

  it('gives nothing to somebody whose account is being deleted, also if that begins as they accept', async () => {
    const token = await invited('ada', { role: 'viewer' });
    world.disturb = (where) => {
      if (where === 'before commit') world.rows.turns.set('ben', { turn: 1, closedUntil: START + 60 * MINUTE });
    };

    expect((await accept('ben', token)).status).toBe(403);

    expect((await onThing('listThingGrants', 'ada')).body.grants).toHaveLength(1);
  });

  it('of an earlier owner is void, also when it is for possession', async () => {
    const [viewing, owning] = [await invited('ada', { role: 'viewer' }), await invited('ada', { role: 'owner' })];
    world.now += MINUTE;
    await accept('ben', await invited('ada', { role: 'owner' }));
    expect((await accept('cem', viewing)).status).toBe(404);

    // Also when the same person has it again.
    world.now += MINUTE;
    await accept('ada', await invited('ben', { role: 'owner' }));

    expect((await accept('cem', viewing)).status).toBe(404);
    expect((await accept('cem', owning)).status).toBe(404);
  });

  it.each(['inviteToThing', 'listThingGrants'] as const)(
    'is no more to be made, nor seen, by who loses the thing at that moment: %s',
    async (operation) => {
      world.disturb = (point) => {
        if (point !== 'after find') return;
        world.rows.owners.set('thing#lamp', { person: 'ben', since: START + 1, shares: 0 });
      };

      const body = operation === 'inviteToThing' ? { role: 'viewer' } : undefined;
      expect((await onThing(operation, 'ada', body)).status).toBe(404);
    },
  );

  it('is one of twenty at most', async () => {
    for (let n = 0; n < 20; n += 1) await invited('ada', { role: 'viewer' });

    expect((await onThing('inviteToThing', 'ada', { role: 'viewer' })).status).toBe(409);
  });

  it('transfers more shares than one transaction can end', async () => {
    const people = Array.from({ length: 130 }, (_, n) => `guest${n}`);
    for (const each of people) await accept(each, await invited('ada', { role: 'viewer' }));

    expect((await accept('ben', await invited('ada', { role: 'owner' }))).status).toBe(201);

    expect(world.rows.grants.size).toBe(1);
    expect(world.rows.members.size).toBe(0);
  });
});

describe('a device that is taken out of service', () => {
  it('has its certificates on the list before they are revoked, and the one that a rotation has announced', async () => {
    world.certificates.set(
      'pump-rotating',
      new Map([
        ['a', 'ACTIVE'],
        ['b', 'ACTIVE'],
      ]),
    );
    const decommission = () =>
      world.request({
        ...{ operation: 'decommissionThing', person: 'op', groups: 'operator' },
        params: { thing: 'pump-rotating' },
      });
    const points = ['before forbid', 'after forbid', 'before revoke', 'after revoke', 'before disconnect'];
    for (const point of points) {
      world.disturb = (each) => {
        if (each === point) throw new Error('cut off');
      };
      expect((await decommission()).status).toBe(500);
    }
    world.disturb = () => {};

    expect((await decommission()).body).toEqual({ thing: 'pump-rotating', revokedCertificates: ['a', 'b'] });

    expect([...world.forbidden]).toEqual(['a', 'b', 'next-of-pump-rotating']);
    expect(world.certificates.get('pump-rotating')).toEqual(
      new Map([
        ['a', 'REVOKED'],
        ['b', 'REVOKED'],
      ]),
    );
    expect(world.disconnected).toEqual(['pump-rotating']);
  });
});
