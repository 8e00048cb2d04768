/** How what somebody owns goes to another or to nobody, with all that hangs on it. */
import type { GrantTarget } from '@thingstead/contracts/grants';
import type { MemberRow } from '@thingstead/contracts/ownership';
import { siteOf } from '@thingstead/contracts/things';
import { type Holding, isSame, thing } from './holder.ts';
import type { Change, Owner, Ports } from './ports.ts';

/** Each takes two changes of the 100 that one commit may have. */
const MEMBERS_AT_ONCE = 45;

type Which = (member: MemberRow) => boolean;

/**
 * Takes back what the owner has given: all, or those that `which` names. Cut off, it has taken back some of it, and the owner
 * is the same: whoever asked may ask again. False when the owner is another in the meantime.
 */
export async function takeBack(
  { holder, owner }: Holding,
  { rows }: Pick<Ports, 'rows'>,
  { of, which = () => true }: { readonly of?: GrantTarget; readonly which?: Which } = {},
): Promise<boolean> {
  for (;;) {
    const members = (await rows.members(holder, of)).filter(which).slice(0, MEMBERS_AT_ONCE);
    if (members.length === 0) return true;
    const done = await rows.commit(removal({ holder, owner }, members));
    const now = done ? undefined : await rows.owner(holder);
    if (!done && (now?.person !== owner.person || now.since !== owner.since)) return false;
  }
}

/** Ends the access of these. */
export function removal({ holder, owner }: Holding, members: readonly MemberRow[]): readonly Change[] {
  return [
    { do: 'count-shares', target: holder, before: owner, add: -members.length },
    ...members.flatMap((member): readonly Change[] => [
      { do: 'remove-member', holder, member },
      { do: 'remove-grant', person: member.person, target: member.of },
    ]),
  ];
}

/**
 * Gives what somebody owns to another, and ends everybody else's access: what was given is taken back first, and the owner
 * changes in one commit with all that is left to change, only while nothing hangs on it. Cut off anywhere, it still belongs to
 * the one before. `also` is part of that commit. Gives the new owner, or undefined when somebody came in between.
 */
export async function handOver(
  holding: Holding,
  to: { readonly person: string; readonly by: string },
  also: readonly Change[],
  ports: Pick<Ports, 'rows' | 'now'>,
): Promise<Owner | undefined> {
  const { holder, owner } = holding;
  const { rows, now } = ports;
  const isTheirs: Which = ({ person, of }) => person === to.person && isSame(of, holder);
  if (!(await takeBack(holding, ports, { which: (member) => !isTheirs(member) }))) return undefined;
  const kept = await rows.member(holder, holder, to.person);
  // Later than the one before, whatever the clocks say: `since` tells one time of possession from the next.
  const since = Math.max(now(), owner.since + 1);
  const next = { person: to.person, since, shares: 0 };
  const done = await rows.commit([
    { do: 'replace-owner', target: holder, before: { ...owner, shares: kept ? 1 : 0 }, owner: next },
    ...(kept ? [{ do: 'remove-member', holder, member: kept } as const] : []),
    { do: 'remove-grant', person: owner.person, target: holder },
    {
      do: 'put-grant',
      grant: {
        ...{ person: to.person, target: holder, role: 'owner', visibleFrom: since },
        ...{ grantedBy: to.by, grantedAt: since },
      },
    },
    ...forgetCodes(holder),
    ...also,
  ]);
  return done ? next : undefined;
}

/**
 * Makes a thing nobody's, in the same order: what was given is taken back first. Only a thing: a site always has an owner.
 * False when somebody came in between.
 */
export async function relinquish(name: string, owner: Owner, ports: Pick<Ports, 'rows'>): Promise<boolean> {
  const holder = thing(name);
  if (!(await takeBack({ holder, owner }, ports))) return false;
  const site = siteOf(name);
  return ports.rows.commit([
    { do: 'remove-owner', target: holder, before: { ...owner, shares: 0 } },
    { do: 'remove-grant', person: owner.person, target: holder },
    ...(site === undefined ? [] : [{ do: 'count-owned-things', site, add: -1 } as const]),
    ...forgetCodes(holder),
  ]);
}

/** A code that was given out before is not for whoever comes after. */
function forgetCodes({ kind, name }: GrantTarget): readonly Change[] {
  return kind === 'thing' ? [{ do: 'forget-codes', thing: name }] : [];
}
