import type { GrantTarget } from '@thingstead/contracts/grants';
import { siteOf } from '@thingstead/contracts/things';
import type { Owner, Ports } from './ports.ts';

/** On what the grants for a thing or site hang: on itself, or on the site of the thing. Never on both. */
export interface Holding {
  readonly holder: GrantTarget;
  readonly owner: Owner;
}

export function thing(name: string): GrantTarget {
  return { kind: 'thing', name };
}

export function site(name: string): GrantTarget {
  return { kind: 'site', name };
}

export function siteTarget(target: GrantTarget): GrantTarget | undefined {
  const name = target.kind === 'thing' ? siteOf(target.name) : undefined;
  return name === undefined ? undefined : site(name);
}

/** Undefined when nobody owns it. */
export async function holdingOf(target: GrantTarget, { rows }: Pick<Ports, 'rows'>): Promise<Holding | undefined> {
  const own = await rows.owner(target);
  if (own) return { holder: target, owner: own };
  const above = siteTarget(target);
  const owner = above && (await rows.owner(above));
  return owner && above && { holder: above, owner };
}

export function isSame(one: GrantTarget, other: GrantTarget): boolean {
  return one.kind === other.kind && one.name === other.name;
}
