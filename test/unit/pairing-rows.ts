/** The access table in memory, as pairing sees it: what a commit needs and does, written a second time and plainly. */
import {
  type CodeRow,
  type GrantRow,
  type GrantTarget,
  grantKey,
  type InvitationRow,
  targetKey,
} from '@thingstead/contracts/grants';
import type { MemberRow, ThingCodesRow, TurnRow } from '@thingstead/contracts/ownership';
import type { Change, Owner } from '../../lambda/pairing/ports.ts';

const MAX_CHANGES = 100;

export class PairingRows {
  readonly owners = new Map<string, Owner>();
  /** By `person target`. */
  readonly grants = new Map<string, GrantRow>();
  /** By `holder target person`. */
  readonly members = new Map<string, MemberRow & { readonly holder: string }>();
  readonly ownedThings = new Map<string, number>();
  readonly turns = new Map<string, TurnRow>();
  readonly codes = new Map<string, CodeRow>();
  readonly shown = new Map<string, ThingCodesRow>();
  /** By `target id`. */
  readonly invitations = new Map<string, InvitationRow>();

  /** A planted bug: changes of this kind are made without their condition. */
  unchecked: readonly Change['do'][] = [];

  commit(changes: readonly Change[]): boolean {
    if (changes.length > MAX_CHANGES) throw new Error(`${changes.length} changes in one commit`);
    const places = changes.map((each) => placeOf(each));
    if (new Set(places).size < places.length) throw new Error(`twice the same row: ${places.join(', ')}`);
    if (!changes.every((each) => this.unchecked.includes(each.do) || this.#holds(each))) return false;
    for (const each of changes) this.#apply(each);
    return true;
  }

  #holds(change: Change): boolean {
    const owner = 'target' in change ? this.owners.get(targetKey(change.target)) : undefined;
    switch (change.do) {
      case 'use-code': {
        const code = this.codes.get(change.selector);
        return code?.hash === change.hash && code.usedBy === undefined;
      }
      case 'forget-codes':
        return change.hash === undefined || this.shown.get(change.thing)?.hashes.includes(change.hash) === true;
      case 'put-owner':
      case 'check-no-owner':
        return owner === undefined;
      case 'replace-owner':
      case 'remove-owner':
        return isSameTenure(owner, change.before) && owner?.shares === change.before.shares;
      case 'count-shares':
        return isSameTenure(owner, change.before);
      case 'add-member':
        return !this.members.has(memberPlace(change.holder, change.member));
      case 'change-member':
      case 'remove-member':
        return this.members.has(memberPlace(change.holder, change.member));
      case 'check-no-owned-things':
        return (this.ownedThings.get(change.site) ?? 0) === 0;
      case 'take-turn':
        return (this.turns.get(change.person)?.turn ?? 0) === change.turn;
      case 'accept-invitation': {
        const invitation = this.invitations.get(`${targetKey(change.target)} ${change.id}`);
        return invitation?.hash === change.hash && invitation.acceptedBy === undefined;
      }
      case 'put-grant':
      case 'remove-grant':
      case 'count-owned-things':
        return true;
    }
  }

  #apply(change: Change): void {
    switch (change.do) {
      case 'use-code':
        update(this.codes, change.selector, { usedBy: change.person });
        break;
      case 'forget-codes':
        this.shown.delete(change.thing);
        break;
      case 'put-owner':
      case 'replace-owner':
        this.owners.set(targetKey(change.target), change.owner);
        break;
      case 'remove-owner':
        this.owners.delete(targetKey(change.target));
        break;
      case 'count-shares': {
        const key = targetKey(change.target);
        update(this.owners, key, { shares: (this.owners.get(key)?.shares ?? 0) + change.add });
        break;
      }
      case 'put-grant': {
        const { target, ...grant } = change.grant;
        const key = grantKey(grant.person, target);
        const { endsAt } = grant;
        this.grants.set(`${grant.person} ${targetKey(target)}`, {
          ...key,
          ...{ person: grant.person, target: targetKey(target), role: grant.role, visibleFrom: grant.visibleFrom },
          ...{ grantedBy: grant.grantedBy, grantedAt: grant.grantedAt },
          ...(endsAt !== undefined && { endsAt }),
        });
        break;
      }
      case 'remove-grant':
        this.grants.delete(`${change.person} ${targetKey(change.target)}`);
        break;
      case 'add-member':
      case 'change-member': {
        const place = memberPlace(change.holder, change.member);
        this.members.set(place, { ...change.member, holder: targetKey(change.holder) });
        break;
      }
      case 'remove-member':
        this.members.delete(memberPlace(change.holder, change.member));
        break;
      case 'count-owned-things':
        this.ownedThings.set(change.site, (this.ownedThings.get(change.site) ?? 0) + change.add);
        break;
      case 'take-turn':
        this.turns.set(change.person, { turn: change.turn + 1 });
        break;
      case 'accept-invitation':
        update(this.invitations, `${targetKey(change.target)} ${change.id}`, { acceptedBy: change.person });
        break;
      case 'check-no-owner':
      case 'check-no-owned-things':
        break;
    }
  }
}

function isSameTenure(owner: Owner | undefined, before: Owner): boolean {
  return owner?.person === before.person && owner.since === before.since;
}

export function memberPlace(holder: GrantTarget, { of, person }: Pick<MemberRow, 'of' | 'person'>): string {
  return `${targetKey(holder)} ${targetKey(of)} ${person}`;
}

function update<Row>(rows: Map<string, Row>, key: string, members: Partial<Row>): void {
  const row = rows.get(key);
  // As DynamoDB does, an update makes a row that is not there; none of these may.
  if (!row) throw new Error(`an update would make the row ${key}`);
  rows.set(key, { ...row, ...members });
}

/** Which row a change is about: a transaction may have one action for each. */
function placeOf(change: Change): string {
  switch (change.do) {
    case 'use-code':
      return `code ${change.selector}`;
    case 'forget-codes':
      return `shown ${change.thing}`;
    case 'put-grant':
      return `grant ${change.grant.person} ${targetKey(change.grant.target)}`;
    case 'remove-grant':
      return `grant ${change.person} ${targetKey(change.target)}`;
    case 'add-member':
    case 'change-member':
    case 'remove-member':
      return `member ${memberPlace(change.holder, change.member)}`;
    case 'count-owned-things':
    case 'check-no-owned-things':
      return `owned ${change.site}`;
    case 'take-turn':
      return `turn ${change.person}`;
    case 'accept-invitation':
      return `invitation ${targetKey(change.target)} ${change.id}`;
    default:
      return `owner ${targetKey(change.target)}`;
  }
}
