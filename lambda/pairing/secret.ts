import { createHash, timingSafeEqual } from 'node:crypto';
import type { GrantTarget } from '@thingstead/contracts/grants';

/** What is stored of a pairing code. With the thing's name in it, a row that is copied to another thing opens nothing. */
export function codeHash(thing: string, code: string): string {
  return sha256(`${thing}#${code}`);
}

/** What is stored of an invitation's token. */
export function tokenHash(token: string): string {
  return sha256(token);
}

/** Compares two hashes; how long it takes says nothing about where they differ. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What is known of an invitation besides its secret finds its row. */
export interface InvitationToken {
  readonly target: GrantTarget;
  readonly id: string;
}

/** `thing.lamp.Zm9v.c2VjcmV0`: it can be typed, and put in a link as it is. */
export function makeToken({ target: { kind, name }, id }: InvitationToken, secret: string): string {
  return `${kind}.${name}.${id}.${secret}`;
}

/** Undefined for what cannot be a token. */
export function readToken(token: string): InvitationToken | undefined {
  const [, thing, site, id] = TOKEN.exec(token) ?? [];
  if (id === undefined) return undefined;
  return { target: thing === undefined ? { kind: 'site', name: site ?? '' } : { kind: 'thing', name: thing }, id };
}

const TOKEN =
  /^(?:thing\.([a-zA-Z0-9_-]{1,64})|site\.([a-zA-Z0-9_]{1,63}))\.([a-zA-Z0-9_-]{1,32})\.[a-zA-Z0-9_-]{1,64}$/;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
