import { type GrantTarget, type InvitationRow, isInForce } from '@thingstead/contracts/grants';
import { type Refusal, refusal } from '../http/request.ts';
import { type Holding, holdingOf, isSame } from './holder.ts';
import { handOver } from './ownership.ts';
import type { Change, Held, Ports } from './ports.ts';
import { roomFor } from './room.ts';
import { readToken, sameHash, tokenHash } from './secret.ts';
import { untilDone } from './until-done.ts';

export type Accepted = { readonly ok: true; readonly held: Held } | Refusal;

const VOID = refusal(404, 'there is no such invitation, or it is void; ask whoever sent it for another');

/**
 * A person accepts an invitation: once, while it is open, and while whoever made it is still the owner. What it gives takes the
 * place of what the person had for the same thing or site. Whoever has accepted it may send it again, for an answer that was lost.
 */
export async function accept(
  { person, token }: { readonly person: string; readonly token: string },
  ports: Ports,
): Promise<Accepted> {
  const read = readToken(token);
  if (!read) return VOID;
  const { target, id } = read;
  const hash = tokenHash(token);
  // A token outlives its account by some minutes.
  if (!(await ports.directory.exists(person))) return refusal(403, 'this account was deleted');
  return untilDone<Accepted>(async () => {
    const invitation = await ports.invitations.find(target, id);
    if (!invitation || !sameHash(invitation.hash, hash) || invitation.endsAt <= ports.now()) return VOID;
    if (invitation.acceptedBy !== undefined) {
      return invitation.acceptedBy === person ? held(person, target, ports) : VOID;
    }
    const holding = await holdingOf(target, ports);
    if (holding?.owner.person !== invitation.createdBy || holding.owner.since !== invitation.ownerSince) return VOID;
    if (holding.owner.person === person) return refusal(409, 'you are the owner already');
    const room = await roomFor(person, target, invitation.role, ports);
    if (!room.ok) return room;
    const also: readonly Change[] = [
      { do: 'accept-invitation', target, id, hash, person },
      { do: 'take-turn', person, turn: room.turn },
    ];
    const taking = { person, target, invitation, holding };
    return invitation.role === 'owner' ? transfer(taking, also, ports) : share(taking, also, ports);
  });
}

interface Taking {
  readonly person: string;
  readonly target: GrantTarget;
  readonly invitation: InvitationRow;
  readonly holding: Holding;
}

async function share(
  { person, target, invitation, holding: { holder, owner } }: Taking,
  also: readonly Change[],
  { rows, reports, now }: Ports,
): Promise<Accepted | undefined> {
  const { role, grantEndsAt: endsAt } = invitation;
  const grantedAt = now();
  const ends = endsAt === undefined ? {} : { endsAt };
  const known = await rows.member(holder, target, person);
  const visibleFrom = owner.since;
  const done = await rows.commit([
    { do: 'count-shares', target: holder, before: owner, add: known ? 0 : 1 },
    { do: known ? 'change-member' : 'add-member', holder, member: { person, of: target, role, grantedAt, ...ends } },
    { do: 'put-grant', grant: { person, target, role, visibleFrom, grantedBy: owner.person, grantedAt, ...ends } },
    ...also,
  ]);
  if (!done) return undefined;
  reports.done('shared', { person, [target.kind]: target.name, role, invitation: invitation.id });
  return { ok: true, held: { target, role, visibleFrom, ...ends } };
}

async function transfer(
  { person, target, invitation, holding }: Taking,
  also: readonly Change[],
  ports: Ports,
): Promise<Accepted | undefined> {
  // The thing got into a site since.
  if (!isSame(holding.holder, target)) return VOID;
  const next = await handOver(holding, { person, by: invitation.createdBy }, also, ports);
  if (!next) return undefined;
  ports.reports.done('transferred', { from: invitation.createdBy, to: person, [target.kind]: target.name });
  return { ok: true, held: { target, role: 'owner', visibleFrom: next.since } };
}

/** The same answer again, unless it was taken away since. */
async function held(person: string, target: GrantTarget, { rows, now }: Ports): Promise<Accepted> {
  const grant = await rows.grant(person, target);
  if (!grant || !isInForce(grant, now())) return VOID;
  const { role, visibleFrom, endsAt } = grant;
  return { ok: true, held: { target, role, visibleFrom, ...(endsAt !== undefined && { endsAt }) } };
}
