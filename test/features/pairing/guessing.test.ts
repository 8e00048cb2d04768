/** Many people and one code; many codes and one person. */
import { PAIRING_ALPHABET } from '@thingstead/contracts/pairing';
import { describeLocally } from '../../support/target.ts';
import { type PairingPlatform, startPairingPlatform } from './pairing-platform.ts';

const RACERS = 50;
const GUESSES = process.env.THINGSTEAD_EXHAUSTIVE ? 1000 : 250;
/** What the API takes at once; it says 429 itself beyond. */
const AT_ONCE = 50;
const LIMIT_MS = 300_000;

// The API of a deployment would throttle these, and its other callers with them.
describeLocally('a gateway of its own', 'a code', () => {
  let here: PairingPlatform;

  beforeAll(async () => {
    here = await startPairingPlatform();
  });
  afterAll(() => here?.platform.stop());

  it(
    'that fifty people type at the same time gives the thing to one of them',
    async () => {
      const lamp = await here.device('race');
      const people = await Promise.all(Array.from({ length: RACERS }, () => here.person()));
      const code = await lamp.code();

      const answers = await Promise.all(people.map((each) => each.call('POST', '/pairings', { code })));

      const won = people.filter((_, at) => answers[at]?.status === 201);
      expect(won).toHaveLength(1);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 404]));
      expect(await here.ownerOf({ kind: 'thing', name: lamp.thing })).toBe(won[0]?.person);
      const grants = people.map((each) => here.grantOf(each.person, { kind: 'thing', name: lamp.thing }));
      expect((await Promise.all(grants)).filter(Boolean)).toHaveLength(1);
    },
    LIMIT_MS,
  );

  it(
    'is not found by hundreds of guesses: the guesser is locked out, and the right owner gets in later',
    async () => {
      const [lamp, ada, eve] = await Promise.all([here.device('guess'), here.person(), here.person()]);
      const code = await lamp.code();
      const guesses = guessesAt(code, GUESSES);

      const answers = [];
      for (let at = 0; at < guesses.length; at += AT_ONCE) {
        const some = guesses.slice(at, at + AT_ONCE);
        answers.push(...(await Promise.all(some.map((guess) => eve.call('POST', '/pairings', { code: guess })))));
      }

      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 404)).toHaveLength(10);
      expect(statuses.filter((status) => status === 429)).toHaveLength(GUESSES - 10);
      const locked = answers.find(({ status }) => status === 429);
      expect(Number(locked?.headers.get('retry-after'))).toBeGreaterThan(0);
      // Also with the right code, as long as it lasts: whether it was right is not told.
      expect((await eve.call('POST', '/pairings', { code })).status).toBe(429);
      // Five of the guesses began as the code does: it is void, for everybody.
      expect((await ada.call('POST', '/pairings', { code })).status).toBe(404);

      expect((await ada.call('POST', '/pairings', { code: await lamp.code() })).status).toBe(201);
    },
    LIMIT_MS,
  );

  it('that is void or never was is answered in the same words', async () => {
    const [lamp, eve] = await Promise.all([here.device('words'), here.person()]);
    const code = await lamp.code();
    const [sameSelector = '', other = ''] = [guessesAt(code, 1)[0], guessesAt(code, 2)[1]];

    const wrong = await eve.call('POST', '/pairings', { code: sameSelector });
    const nothing = await eve.call('POST', '/pairings', { code: other });

    const words = ({ status, body: { correlationId: _, ...body } }: typeof wrong) => ({ status, body });
    expect(words(wrong)).toEqual(words(nothing));
  });

  it('locks nobody out for ever', async () => {
    const [lamp, ada] = await Promise.all([here.device('later'), here.person()]);
    for (const guess of guessesAt(await lamp.code(), 11)) await ada.call('POST', '/pairings', { code: guess });
    expect((await ada.call('POST', '/pairings', { code: await lamp.code() })).status).toBe(429);

    await here.platform.advance(601);

    expect((await ada.call('POST', '/pairings', { code: await lamp.code() })).status).toBe(201);
  });
});

/** Wrong codes: by turns with the first characters of this one, which find its row, and with others. */
function guessesAt(code: string, count: number): readonly string[] {
  const letter = (at: number): string => PAIRING_ALPHABET[at % PAIRING_ALPHABET.length] ?? '';
  return Array.from({ length: count }, (_, n) => {
    const tail = [n, Math.floor(n / 24), Math.floor(n / 576)].map((each) => letter(each)).join('');
    if (n % 2 === 0) return different(`${code.slice(0, 5)}${tail}`, code);
    const head = [...code.slice(0, 3)].map((each) => letter(PAIRING_ALPHABET.indexOf(each) + 1)).join('');
    return `${head}${code.slice(3, 5)}${tail}`;
  });
}

function different(guess: string, code: string): string {
  return guess === code ? `${guess.slice(0, 3)}${guess[3] === 'A' ? 'C' : 'A'}${guess.slice(4)}` : guess;
}
