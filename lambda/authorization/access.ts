/** What a person may do with a thing or a site, by their grants. */
import { type GrantRow, type GrantTarget, isInForce, ROLES, targetOfKey } from '@thingstead/contracts/grants';
import { siteOf } from '@thingstead/contracts/things';
import type { Access } from '../http/request.ts';

export interface Grants {
  /** Those of a person for these targets, read consistently: access that was taken away is gone at once. */
  find(person: string, targets: readonly GrantTarget[]): Promise<readonly GrantRow[]>;
}

/** The targets whose grants are about this one: a thing itself, and its site. */
export function targetsAbout(target: GrantTarget): readonly GrantTarget[] {
  const site = target.kind === 'thing' ? siteOf(target.name) : undefined;
  return site === undefined ? [target] : [target, { kind: 'site', name: site }];
}

/** The greatest of the roles that are in force, and the longest sight; undefined: no access. */
export function accessBy(grants: readonly GrantRow[], now: number): Access | undefined {
  const inForce = grants.filter((grant) => isInForce(grant, now));
  if (inForce.length === 0) return undefined;
  const role = ROLES.findLast((each) => inForce.some((grant) => grant.role === each));
  const visibleFrom = Math.min(...inForce.map((grant) => grant.visibleFrom));
  const throughSite = inForce.every(({ target }) => targetOfKey(target).kind === 'site');
  return { role, visibleFrom, ...(throughSite && { throughSite }) };
}

/**
 * Whether somebody has paired with the thing by this access: it is there then, whether or not anything was heard of it. Whose access
 * comes from a group or from a site may ask for a thing that never was.
 */
export function isOnesOwn({ role, throughSite = false }: Access): boolean {
  return role !== undefined && !throughSite;
}

/** What a person may do now. */
export async function accessTo(
  person: string,
  target: GrantTarget,
  { grants, now }: { readonly grants: Grants; now(): number },
): Promise<Access | undefined> {
  return accessBy(await grants.find(person, targetsAbout(target)), now());
}
