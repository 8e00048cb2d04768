import { createHash } from 'node:crypto';
import type { ThingCodesRow } from '@thingstead/contracts/ownership';
import {
  PAIRING_ALPHABET,
  PAIRING_CODE_LENGTH,
  PAIRING_CODE_SECONDS,
  PAIRING_SELECTOR_LENGTH,
  type PairingEvent,
  PairingRequest,
} from '@thingstead/contracts/pairing';
import { siteOf } from '@thingstead/contracts/things';
import { validate } from '@thingstead/contracts/validate';
import { codeHash } from '../pairing/secret.ts';
import { readMessage } from '../rules/device-message.ts';
import type { Ports, Rejection } from './ports.ts';

/** Codes that one thing is given in a while; a person who mistypes asks again once or twice. */
const MAX_CODES = 5;
const WINDOW_MS = 10 * 60_000;
/** Wrong codes that are taken for one code: of 24^5 secrets, so many chances. */
const MAX_WRONG = 5;
/** There are 24^3 selectors; with half of them taken, ten draws on end that are taken are one time in a thousand. */
const MAX_DRAWS = 10;
const MAX_REASON = 1000;

/** No selector was free, again and again: Lambda tries once more, and then it is an operator's matter. */
export class NoFreeCodeError extends Error {
  override readonly name = 'NoFreeCodeError';
}

/**
 * A device asks for a code, and gets one while nobody owns it. INVARIANTS:
 * - the thing is the one of the topic, for which the device's policy vouches;
 * - the code is stored as a hash, before it is told to anyone;
 * - the codes before are void from then on, except of the same request: an event that comes twice must not void the code that
 *   the device shows;
 * - whether it may be owned is decided when somebody pairs; here it spares people a code that would not work.
 */
export async function giveCode(event: PairingEvent, ports: Ports): Promise<void> {
  const { thing } = event;
  const read = readRequest(event);
  const reject = async (error: Rejection, reason: string): Promise<void> => {
    await ports.answers.rejected(thing, read.id, error, reason.slice(0, MAX_REASON));
    ports.reports.rejected(thing, error);
  };
  if (!read.ok) return reject('invalid-request', read.reason);
  const { registry, codes } = ports;
  if (!(await registry.exists(thing))) return reject('no-such-thing', `there is no thing ${thing} in the registry`);
  if (await codes.hasOwner({ kind: 'thing', name: thing })) return reject('already-owned', 'this thing has an owner');
  const site = siteOf(thing);
  if (site !== undefined && (await codes.hasOwner({ kind: 'site', name: site }))) {
    return reject('belongs-to-site', `this thing belongs to the owner of the site ${site}`);
  }
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const before = await codes.shown(thing);
    const now = ports.now();
    const window = before && before.windowEndsAt > now ? before : { asked: 0, windowEndsAt: now + WINDOW_MS };
    if (window.asked >= MAX_CODES) {
      const seconds = Math.ceil((window.windowEndsAt - now) / 1000);
      return reject('too-many-requests', `${MAX_CODES} codes were given out; ask again in ${seconds} s`);
    }
    const code = newCode(ports);
    const expiresAt = now + PAIRING_CODE_SECONDS * 1000;
    const hash = codeHash(thing, code);
    const request = fingerprint(event);
    const shown: ThingCodesRow = {
      request,
      hashes: before?.request === request ? [...before.hashes, hash] : [hash],
      asked: window.asked + 1,
      windowEndsAt: window.windowEndsAt,
    };
    const ends = { endsAt: expiresAt, expiresAt: Math.ceil(expiresAt / 1000) };
    const row = { thing, hash, attemptsLeft: MAX_WRONG, ...ends };
    if (!(await codes.put({ selector: code.slice(0, PAIRING_SELECTOR_LENGTH), row, shown, before, now }))) continue;
    await ports.answers.accepted(thing, read.id, code, expiresAt);
    return ports.reports.given(thing);
  }
  throw new NoFreeCodeError(`no free code for ${thing} after ${MAX_DRAWS} draws`);
}

type Read =
  | { readonly ok: true; readonly id: string | undefined }
  | { readonly ok: false; readonly id: undefined; readonly reason: string };

function readRequest({ payload }: PairingEvent): Read {
  const message = readMessage(payload);
  if (message === undefined) return { ok: false, id: undefined, reason: 'the message is no JSON in UTF-8' };
  // The schema library takes a list for an object without members.
  if (Array.isArray(message)) return { ok: false, id: undefined, reason: 'the message is no object' };
  const read = validate(PairingRequest, message);
  return read.ok ? { ok: true, id: read.value.id } : { ok: false, id: undefined, reason: read.reason };
}

function newCode({ randomBelow }: Ports): string {
  const letters = Array.from(
    { length: PAIRING_CODE_LENGTH },
    () => PAIRING_ALPHABET[randomBelow(PAIRING_ALPHABET.length)],
  );
  return letters.join('');
}

/** The same for an event that comes again, and for no other. */
function fingerprint({ at, payload }: PairingEvent): string {
  return createHash('sha256').update(`${at}#${payload}`).digest('hex');
}
