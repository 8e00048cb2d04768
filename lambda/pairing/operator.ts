/** What operators do: sites, and things whose owner cannot. */
import { type Refusal, refusal } from '../http/request.ts';
import { holdingOf, isSame, site, thing } from './holder.ts';
import { handOver, relinquish, takeBack } from './ownership.ts';
import type { Owner, Ports } from './ports.ts';
import { roomFor } from './room.ts';
import { untilDone } from './until-done.ts';

interface Given {
  readonly ok: true;
  readonly body: { readonly site: string; readonly owner: string; readonly since: number };
}

/** Makes a site with this owner, or gives it to them; one that is theirs stays as it is. */
export async function giveSite(
  { site: name, to, by }: { readonly site: string; readonly to: string; readonly by: string },
  ports: Ports,
): Promise<Given | Refusal> {
  const { rows, directory, reports, now } = ports;
  const target = site(name);
  if (!(await directory.exists(to))) return refusal(404, `there is no person ${to}`);
  const given = ({ since }: Pick<Owner, 'since'>): Given => ({ ok: true, body: { site: name, owner: to, since } });
  const next = await untilDone<Given | Refusal>(async () => {
    const owner = await rows.owner(target);
    if (owner?.person === to) return given(owner);
    const room = await roomFor(to, target, 'owner', ports);
    if (!room.ok) return refusal(409, `${to} cannot have it: ${room.detail}`);
    const turn = { do: 'take-turn', person: to, turn: room.turn } as const;
    if (owner) {
      const changed = await handOver({ holder: target, owner }, { person: to, by }, [turn], ports);
      return changed && given(changed);
    }
    const things = await rows.ownedThings(name);
    if (things > 0) {
      return refusal(
        409,
        `${things} of its things have owners of their own; release them, or have them given up, first`,
      );
    }
    const since = now();
    const done = await rows.commit([
      { do: 'check-no-owned-things', site: name },
      { do: 'put-owner', target, owner: { person: to, since, shares: 0 } },
      {
        do: 'put-grant',
        grant: { person: to, target, role: 'owner', visibleFrom: since, grantedBy: by, grantedAt: since },
      },
      turn,
    ]);
    return done ? given({ since }) : undefined;
  });
  if (next.ok) reports.done('site_given', { site: name, to, by });
  return next;
}

/**
 * Puts every certificate of a thing on the list, and looks again until there is none that is not: a renewal that runs at this moment either sees
 * that its old one is on it, or its new one is seen here. Gives those that are attached; undefined when there is no such thing.
 */
async function forbidAll(name: string, devices: Ports['devices'], at: number): Promise<readonly string[] | undefined> {
  const forbidden = new Set<string>();
  for (;;) {
    const certificates = await devices.certificates(name);
    if (!certificates) return undefined;
    const next = await devices.nextCertificate(name);
    const fresh = [...certificates, ...(next === undefined ? [] : [next])].filter((id) => !forbidden.has(id));
    if (fresh.length === 0) return certificates;
    for (const each of fresh) {
      await devices.forbid(each, at);
      forbidden.add(each);
    }
  }
}

/** Ends everybody's access to a thing that has an owner of its own. */
export async function release(
  { thing: name, by }: { readonly thing: string; readonly by: string },
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: undefined } | Refusal> {
  if (!(await makeNobodys(name, ports))) return refusal(404, `${name} has no owner of its own`);
  ports.reports.done('released', { thing: name, by });
  return { ok: true, body: undefined };
}

/** False when it had no owner. */
async function makeNobodys(name: string, ports: Ports): Promise<boolean> {
  return untilDone(async (attempt) => {
    const owner = await ports.rows.owner(thing(name));
    if (!owner) return attempt > 0;
    return (await relinquish(name, owner, ports)) ? true : undefined;
  });
}

/**
 * Takes a device out of service for ever: its certificates can never connect again, its connection ends, and so does everybody's
 * access to it alone. It is put on the list of the revoked first: registration would let in again what only was revoked and
 * deleted. Every step may be repeated.
 */
export async function decommission(
  { thing: name, by }: { readonly thing: string; readonly by: string },
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: { thing: string; revokedCertificates: string[] } } | Refusal> {
  const { devices, reports, now } = ports;
  const certificates = await forbidAll(name, devices, now());
  if (!certificates) return refusal(404, `there is no thing ${name}`);
  for (const each of certificates) await devices.revoke(each);
  await devices.disconnect(name);
  // Before the owner goes, so that whoever has just taken possession with a code that it shows still, goes as well.
  await ports.rows.commit([{ do: 'forget-codes', thing: name }]);
  await makeNobodys(name, ports);
  await untilDone(async () => {
    const holding = await holdingOf(thing(name), ports);
    // The owner of the site keeps its past, as that of everything in it.
    if (!holding || isSame(holding.holder, thing(name))) return true;
    return (await takeBack(holding, ports, { of: thing(name) })) ? true : undefined;
  });
  reports.done('decommissioned', { thing: name, by });
  return { ok: true, body: { thing: name, revokedCertificates: [...certificates] } };
}
