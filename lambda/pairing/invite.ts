/** Invitations, for the owner: whoever has the token may accept it once. */
import type { GrantTarget, InvitationRow, Role } from '@thingstead/contracts/grants';
import { type Refusal, refusal } from '../http/request.ts';
import { isSame } from './holder.ts';
import type { Ports } from './ports.ts';
import { makeToken, tokenHash } from './secret.ts';
import { notYours, ownedBy } from './sharing.ts';

/** Bounds what one owner can store; a few more, asked for at the same time, do no harm. */
const MAX_OPEN = 20;
const ID_BYTES = 9;
/** 192 bits: guessing needs not be counted. */
const SECRET_BYTES = 24;

interface Offer {
  readonly owner: string;
  readonly target: GrantTarget;
  readonly role: Role;
  readonly validSeconds: number;
  readonly accessSeconds?: number | undefined;
}

export interface Offered {
  readonly id: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly endsAt: number;
}

/** Makes an invitation. The token is in the answer and nowhere else. */
export async function invite(
  { owner: person, target, role, validSeconds, accessSeconds }: Offer,
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: Offered & { readonly token: string } } | Refusal> {
  const { invitations, reports, now, randomText } = ports;
  if (role === 'owner' && accessSeconds !== undefined) {
    return refusal(400, 'body.accessSeconds: possession does not end by itself; leave the member out');
  }
  const holding = await ownedBy(person, target, ports);
  if (!holding) return notYours(target);
  if (role === 'owner' && !isSame(holding.holder, target)) {
    return refusal(409, `it belongs to the site ${holding.holder.name}, and is transferred only with it`);
  }
  const { since } = holding.owner;
  const open = (await invitations.all(target)).filter((each) => isOpen(each, since, now()));
  if (open.length >= MAX_OPEN) return refusal(409, `there are ${open.length} open invitations; withdraw some first`);
  const id = randomText(ID_BYTES);
  const token = makeToken({ target, id }, randomText(SECRET_BYTES));
  const createdAt = now();
  const grantEndsAt = accessSeconds === undefined ? undefined : createdAt + accessSeconds * 1000;
  // What has ended when it is accepted gives nothing.
  const endsAt = Math.min(createdAt + validSeconds * 1000, grantEndsAt ?? Number.POSITIVE_INFINITY);
  await invitations.put(target, {
    ...{ id, hash: tokenHash(token), role, createdBy: person, createdAt, ownerSince: since, endsAt },
    expiresAt: Math.ceil(endsAt / 1000),
    ...(grantEndsAt !== undefined && { grantEndsAt }),
  });
  reports.done('invited', { person, [target.kind]: target.name, role, invitation: id });
  return { ok: true, body: { id, role, createdAt, endsAt, token } };
}

export function isOpen({ ownerSince, endsAt, acceptedBy }: InvitationRow, since: number, now: number): boolean {
  return ownerSince === since && acceptedBy === undefined && now < endsAt;
}

export async function openInvitations(
  person: string,
  target: GrantTarget,
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: { readonly invitations: Offered[] } } | Refusal> {
  const holding = await ownedBy(person, target, ports);
  if (!holding) return notYours(target);
  const all = await ports.invitations.all(target);
  const open = all.filter((each) => isOpen(each, holding.owner.since, ports.now()));
  return {
    ok: true,
    body: { invitations: open.map(({ id, role, createdAt, endsAt }) => ({ id, role, createdAt, endsAt })) },
  };
}

/** Access that it has given stays. */
export async function withdraw(
  { owner, target, id }: { readonly owner: string; readonly target: GrantTarget; readonly id: string },
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: undefined } | Refusal> {
  if (!(await ownedBy(owner, target, ports))) return notYours(target);
  if (!(await ports.invitations.remove(target, id))) return refusal(404, `there is no invitation ${id}`);
  ports.reports.done('invitation_withdrawn', { person: owner, [target.kind]: target.name, invitation: id });
  return { ok: true, body: undefined };
}
