import type { CodeRow, GrantRow, GrantTarget, InvitationRow, Role } from '@thingstead/contracts/grants';
import type { MemberRow, TurnRow } from '@thingstead/contracts/ownership';

/** Who has a thing or site, since when, and how many grants hang on it. */
export interface Owner {
  readonly person: string;
  readonly since: number;
  readonly shares: number;
}

/** What one person may do, without the keys of the row. */
export type Grant = Pick<GrantRow, 'person' | 'role' | 'visibleFrom' | 'grantedBy' | 'grantedAt'> & {
  readonly target: GrantTarget;
  readonly endsAt?: number | undefined;
};

/** One write, with what must be so for it. Those of one commit are all made, or none. */
export type Change =
  /** The code must have this hash, and be unused. */
  | { readonly do: 'use-code'; readonly selector: string; readonly hash: string; readonly person: string }
  /** With `hash`, it must be one of the thing's. */
  | { readonly do: 'forget-codes'; readonly thing: string; readonly hash?: string }
  /** There must be none. */
  | { readonly do: 'put-owner'; readonly target: GrantTarget; readonly owner: Owner }
  /** It must be `before`, with exactly as many shares. */
  | { readonly do: 'replace-owner'; readonly target: GrantTarget; readonly before: Owner; readonly owner: Owner }
  | { readonly do: 'remove-owner'; readonly target: GrantTarget; readonly before: Owner }
  /** It must be `before`, with any shares. */
  | { readonly do: 'count-shares'; readonly target: GrantTarget; readonly before: Owner; readonly add: number }
  | { readonly do: 'check-no-owner'; readonly target: GrantTarget }
  | { readonly do: 'put-grant'; readonly grant: Grant }
  | { readonly do: 'remove-grant'; readonly person: string; readonly target: GrantTarget }
  /** There must be none. */
  | { readonly do: 'add-member'; readonly holder: GrantTarget; readonly member: MemberRow }
  /** There must be one. */
  | { readonly do: 'change-member'; readonly holder: GrantTarget; readonly member: MemberRow }
  | {
      readonly do: 'remove-member';
      readonly holder: GrantTarget;
      readonly member: Pick<MemberRow, 'of' | 'person'>;
    }
  | { readonly do: 'count-owned-things'; readonly site: string; readonly add: 1 | -1 }
  | { readonly do: 'check-no-owned-things'; readonly site: string }
  /** It must be this person's turn of this number; the next is one more. */
  | { readonly do: 'take-turn'; readonly person: string; readonly turn: number }
  /** The invitation must have this hash, and be open. */
  | {
      readonly do: 'accept-invitation';
      readonly target: GrantTarget;
      readonly id: string;
      readonly hash: string;
      readonly person: string;
    };

/** The access table. All reads are consistent. */
export interface Rows {
  owner(target: GrantTarget): Promise<Owner | undefined>;
  /** All that the owner of `holder` has given; with `of`, of this thing or site. Those that are over are among them. */
  members(holder: GrantTarget, of?: GrantTarget): Promise<readonly MemberRow[]>;
  member(holder: GrantTarget, of: GrantTarget, person: string): Promise<MemberRow | undefined>;
  grant(person: string, target: GrantTarget): Promise<GrantRow | undefined>;
  /** All of a person, in force or not. */
  grants(person: string): Promise<readonly GrantRow[]>;
  turn(person: string): Promise<TurnRow>;
  ownedThings(site: string): Promise<number>;
  code(selector: string): Promise<CodeRow | undefined>;
  /** Hashes of the codes that a thing shows. */
  codesOf(thing: string): Promise<readonly string[]>;
  /** At most 100 changes. False when something is not as it must be: then nothing was written. */
  commit(changes: readonly Change[]): Promise<boolean>;
}

/** What is counted to keep guessing out. */
export interface Attempts {
  /** Counts one attempt of a person, before it is looked at; none is allowed until `until` when there were too many. */
  begin(
    person: string,
    now: number,
  ): Promise<{ readonly allowed: true } | { readonly until: number; readonly allowed: false }>;
  /** The attempt was no wrong one. */
  undo(person: string): Promise<void>;
  /** Counts one attempt at the code with this selector, and gives it. Undefined: there is none, or it is void. */
  take(selector: string, now: number): Promise<CodeRow | undefined>;
}

export interface Invitations {
  find(target: GrantTarget, id: string): Promise<InvitationRow | undefined>;
  /** Open or not. */
  all(target: GrantTarget): Promise<readonly InvitationRow[]>;
  put(target: GrantTarget, invitation: InvitationRow): Promise<void>;
  /** False when there was none. */
  remove(target: GrantTarget, id: string): Promise<boolean>;
}

/** Things in the registry of AWS IoT, and on its broker. Every write may be repeated. */
export interface Devices {
  /** Ids of the certificates that are attached to a thing; undefined when there is no such thing. */
  certificates(thing: string): Promise<readonly string[] | undefined>;
  /** The certificate that a rotation announces for it. */
  nextCertificate(thing: string): Promise<string | undefined>;
  /** Puts it on the list of those that registration never lets in. */
  forbid(certificateId: string, at: number): Promise<void>;
  /** Without effect on one that is gone. */
  revoke(certificateId: string): Promise<void>;
  /** Ends its connection, if it has one. */
  disconnect(thing: string): Promise<void>;
}

/** The user pool. */
export interface Directory {
  exists(person: string): Promise<boolean>;
}

/** Tells the operator what happened. No code and no token is in it. */
export interface Reports {
  done(what: Deed, about: Readonly<Record<string, string>>): void;
}

export type Deed =
  | 'paired'
  | 'wrong_code'
  | 'locked_out'
  | 'invited'
  | 'invitation_withdrawn'
  | 'shared'
  | 'transferred'
  | 'unshared'
  | 'left'
  | 'given_up'
  | 'site_given'
  | 'released'
  | 'decommissioned';

export interface Ports {
  readonly rows: Rows;
  readonly attempts: Attempts;
  readonly invitations: Invitations;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
  /** So many random bytes, in base64url. */
  randomText(bytes: number): string;
}

/** What an invitation or a grant may be for; `role` says how much. */
export interface Held {
  readonly target: GrantTarget;
  readonly role: Role;
  readonly visibleFrom: number;
  readonly endsAt?: number | undefined;
}
