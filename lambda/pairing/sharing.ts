/** Who has what, and how it ends: by the owner, or by leaving. */
import { type GrantTarget, isInForce, type Role } from '@thingstead/contracts/grants';
import { type Refusal, refusal } from '../http/request.ts';
import { type Holding, holdingOf, isSame } from './holder.ts';
import { relinquish, removal } from './ownership.ts';
import type { Ports } from './ports.ts';
import { untilDone } from './until-done.ts';

export interface Shown {
  readonly person: string;
  readonly role: Role;
  readonly grantedAt: number;
  readonly endsAt?: number;
}
type Done = { readonly ok: true; readonly body: undefined };

const DONE: Done = { ok: true, body: undefined };

/** The possession was given away between the check of the caller's access and now. */
export function notYours({ kind, name }: GrantTarget): Refusal {
  return refusal(404, `there is no ${kind} ${name}, or it is not yours`);
}

/** What belongs to this person: a thing by itself or with its site, or a site. */
export async function ownedBy(person: string, target: GrantTarget, ports: Pick<Ports, 'rows'>) {
  const holding = await holdingOf(target, ports);
  return holding?.owner.person === person ? holding : undefined;
}

/** Those who have a grant for exactly this, the owner first. */
export async function grantsFor(
  person: string,
  target: GrantTarget,
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: { readonly grants: Shown[] } } | Refusal> {
  const holding = await ownedBy(person, target, ports);
  if (!holding) return notYours(target);
  const { holder, owner } = holding;
  const members = await ports.rows.members(holder, target);
  const shared = members
    .filter((member) => isInForce(member, ports.now()))
    .map(({ person, role, grantedAt, endsAt }) => ({
      person,
      role,
      grantedAt,
      ...(endsAt !== undefined && { endsAt }),
    }));
  const own: Shown = { person: owner.person, role: 'owner', grantedAt: owner.since };
  return { ok: true, body: { grants: isSame(holder, target) ? [own, ...shared] : shared } };
}

/** The owner takes somebody's access away. */
export async function unshare(
  { owner, person, target }: { readonly owner: string; readonly person: string; readonly target: GrantTarget },
  ports: Ports,
): Promise<Done | Refusal> {
  return untilDone<Done | Refusal>(async (attempt) => {
    const holding = await ownedBy(owner, target, ports);
    if (!holding) return notYours(target);
    if (person === owner) return refusal(409, ownersOwn(target));
    const outcome = await remove(holding, target, person, ports);
    if (outcome === 'done') ports.reports.done('unshared', { owner, person, [target.kind]: target.name });
    if (outcome === 'none') return attempt > 0 ? DONE : refusal(404, `${person} has no grant for it`);
    return outcome === 'done' ? DONE : undefined;
  });
}

function ownersOwn({ kind }: GrantTarget): string {
  return kind === 'thing' ? 'your own access ends when you give the thing up' : 'a site is given away by transfer only';
}

async function remove(
  holding: Holding,
  target: GrantTarget,
  person: string,
  { rows }: Pick<Ports, 'rows'>,
): Promise<'done' | 'none' | 'again'> {
  const member = await rows.member(holding.holder, target, person);
  if (!member) return 'none';
  return (await rows.commit(removal(holding, [member]))) ? 'done' : 'again';
}

/** Ends a person's own access to a thing or site; an owner gives the thing up, and everybody loses it. */
export async function leave(
  person: string,
  target: GrantTarget,
  ports: Pick<Ports, 'rows' | 'reports'>,
): Promise<Done | Refusal> {
  const { reports } = ports;
  const about = { person, [target.kind]: target.name };
  return untilDone<Done | Refusal>(async (attempt) => {
    const holding = await holdingOf(target, ports);
    if (holding?.owner.person === person) {
      if (target.kind === 'site') return refusal(409, 'you are its owner: transfer it, or have the operator do it');
      if (!isSame(holding.holder, target)) return fromSite(holding);
      if (!(await relinquish(target.name, holding.owner, ports))) return undefined;
      reports.done('given_up', about);
      return DONE;
    }
    const outcome = holding ? await remove(holding, target, person, ports) : 'none';
    if (outcome === 'again') return undefined;
    if (outcome === 'done') reports.done('left', about);
    if (outcome === 'none' && attempt === 0) {
      return target.kind === 'thing' && holding?.holder.kind === 'site' ? fromSite(holding) : notYours(target);
    }
    return DONE;
  });
}

function fromSite({ holder }: Holding): Refusal {
  return refusal(409, `your access comes from the site ${holder.name}, and is left there`);
}
