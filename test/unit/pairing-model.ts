/**
 * What should be, in the plainest words: who owns what, and what owners have given to whom. It knows nothing of rows, turns or
 * crashes. Sites own their things; a thing that has an owner of its own keeps its site from having one.
 */
import { isInForce, type Role, reaches } from '@thingstead/contracts/grants';

export interface Given {
  readonly role: Role;
  readonly visibleFrom: number;
  readonly endsAt?: number | undefined;
}

interface Owned {
  readonly person: string;
  readonly since: number;
  /** By target, by person. */
  readonly given: Map<string, Map<string, Given>>;
}

export interface Invited {
  readonly target: string;
  readonly role: Role;
  /** Of the possession in which it was made. */
  readonly since: number;
  readonly endsAt?: number | undefined;
  readonly open: boolean;
  readonly acceptedBy?: string;
  /** Then nobody can send it again either. */
  readonly withdrawn?: boolean;
}

export class PairingModel {
  /** By `thing#lamp`, `site#farm`. */
  readonly owned = new Map<string, Owned>();
  readonly invited: Invited[] = [];

  copy(): PairingModel {
    const copy = new PairingModel();
    copy.invited.push(...this.invited);
    for (const [key, owned] of this.owned) {
      const given = new Map([...owned.given].map(([target, people]) => [target, new Map(people)]));
      copy.owned.set(key, { ...owned, given });
    }
    return copy;
  }

  holder(target: string): string | undefined {
    return [target, siteKey(target)].find((key) => key !== undefined && this.owned.has(key));
  }

  access(person: string, target: string, now: number): Given | undefined {
    const about = [target, siteKey(target)].filter((key) => key !== undefined);
    const found = about.flatMap((key): Given[] => {
      const owned = this.owned.get(key);
      const own: Given[] = owned?.person === person ? [{ role: 'owner', visibleFrom: owned.since }] : [];
      const given = this.owned
        .get(this.holder(key) ?? '')
        ?.given.get(key)
        ?.get(person);
      return given && isInForce(given, now) ? [...own, given] : own;
    });
    const best = found.reduce<Given | undefined>(
      (one, other) => (one && reaches(one.role, other.role) ? one : other),
      undefined,
    );
    return best && { role: best.role, visibleFrom: Math.min(...found.map((each) => each.visibleFrom)) };
  }

  mayPair(thing: string): boolean {
    return this.holder(thing) === undefined;
  }

  /** Of somebody who has it now: everybody else loses it. */
  own(target: string, person: string, since: number): void {
    // Later than the one before, also when both are made in the same millisecond.
    const earliest = (this.owned.get(target)?.since ?? 0) + 1;
    this.owned.set(target, { person, since: Math.max(since, earliest), given: new Map() });
  }

  give(target: string, person: string, given: Omit<Given, 'visibleFrom'>): void {
    const owned = this.owned.get(this.holder(target) ?? '');
    if (!owned) throw new Error(`nobody owns ${target}`);
    const people = owned.given.get(target) ?? new Map<string, Given>();
    owned.given.set(target, people.set(person, { ...given, visibleFrom: owned.since }));
  }

  has(target: string, person: string): boolean {
    return (
      this.owned
        .get(this.holder(target) ?? '')
        ?.given.get(target)
        ?.has(person) === true
    );
  }

  /** By a grant for exactly this. */
  holds(person: string, target: string, now: number): boolean {
    const given = this.owned
      .get(this.holder(target) ?? '')
      ?.given.get(target)
      ?.get(person);
    return this.owned.get(target)?.person === person || (given !== undefined && isInForce(given, now));
  }

  take(target: string, person: string): void {
    this.owned
      .get(this.holder(target) ?? '')
      ?.given.get(target)
      ?.delete(person);
  }

  takeAll(target: string): void {
    this.owned.get(this.holder(target) ?? '')?.given.delete(target);
  }

  free(thing: string): void {
    this.owned.delete(thing);
  }

  thingsOwnedAt(site: string): number {
    return [...this.owned.keys()].filter((key) => siteKey(key) === site).length;
  }
}

export function siteKey(target: string): string | undefined {
  const site = /^thing#([a-zA-Z0-9_]+)-/.exec(target)?.[1];
  return site && `site#${site}`;
}
