import type { GrantTarget, ProfileRow } from '@thingstead/contracts/grants';

type Row = Readonly<Record<string, unknown>>;

/** The access table, as far as it is about one person. All reads are consistent. */
export interface People {
  profile(person: string): Promise<ProfileRow | undefined>;
  /** Stores whose identity it is, in place of the one before. False when another was named meanwhile, or it is somebody else's. */
  nameIdentity(person: string, identityId: string, before: string | undefined): Promise<boolean>;
  /** From now on until then (epoch milliseconds) the person gets no grant, whatever is under way. */
  close(person: string, until: number): Promise<void>;
  reopen(person: string): Promise<void>;
  /** Everything in the person's partition. */
  rows(person: string): Promise<readonly Row[]>;
  /** Connections of the person's apps, of the last days. */
  connections(person: string): Promise<readonly Row[]>;
  /**
   * Removes everything in the person's partition but what `close` has written, which DynamoDB removes later; the profile last, which
   * is what finds the rest.
   */
  removeRows(person: string): Promise<void>;
  removeIdentity(identityId: string): Promise<void>;
}

/** The user pool. */
export interface Accounts {
  /** Without anything secret; undefined when it is gone. */
  describe(person: string): Promise<Row | undefined>;
  /** Without effect when it is gone. */
  remove(person: string): Promise<void>;
}

/** Whose ID token it is; or that it is none of our app's, or has expired. */
export type Verified = { readonly ok: true; readonly person: string } | { readonly ok: false };

/** Identities of the identity pool. */
export interface Identities {
  verify(idToken: string): Promise<Verified>;
  /** The identity that signs in with this token; undefined when the pool does not take it. */
  of(idToken: string): Promise<string | undefined>;
  /** Without effect when it is gone. */
  remove(identityId: string): Promise<void>;
}

/** What a person has, by the rules of pairing. */
export interface Possessions {
  targets(person: string): Promise<readonly { readonly target: GrantTarget; readonly owned: boolean }[]>;
  /** Ends the person's access; what they own becomes nobody's. Why not, when it cannot be. */
  leave(
    person: string,
    target: GrantTarget,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly detail: string }>;
}

/** Channels on which the person is told, and what they want to be told. */
export interface Notices {
  describe(person: string): Promise<Row>;
  forget(person: string): Promise<void>;
}

/** The link to a voice assistant. */
export interface VoiceLinks {
  /** Since when, epoch milliseconds; without tokens. Undefined when there is none. */
  describe(person: string): Promise<{ readonly linkedAt: number } | undefined>;
  remove(person: string): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  identityNamed(person: string, identityId: string): void;
  deleted(person: string): void;
}

export interface Ports {
  readonly people: People;
  readonly accounts: Accounts;
  readonly identities: Identities;
  readonly possessions: Possessions;
  readonly notices: Notices;
  readonly voiceLinks: VoiceLinks;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
}
