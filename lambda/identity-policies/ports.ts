import type { GrantEnding, GrantRow, GrantTarget, ProfileRow, SessionRow } from '@thingstead/contracts/grants';

/** The access table. All reads are consistent. */
export interface People {
  /** Undefined when the person was deleted, or their app never named an identity. */
  profile(person: string): Promise<ProfileRow | undefined>;
  /** All, in force or not. */
  grants(person: string): Promise<readonly GrantRow[]>;
  /** Undefined when the identity is nobody's any more. */
  personOf(identityId: string): Promise<string | undefined>;
  /** Notes that access was taken away at this time, epoch milliseconds; nothing when the person is gone. */
  noteReduction(person: string, at: number): Promise<void>;
}

/** Connections that have begun, in the access table. Some of them are over. */
export interface Sessions {
  all(identityId: string): Promise<readonly SessionRow[]>;
  /** Leaves the row of a later connection with the same client id. */
  forget(identityId: string, session: SessionRow): Promise<void>;
}

/** A policy that is attached to an identity. */
export interface AttachedPolicy {
  readonly name: string;
  readonly document: string;
}

/** Policies of AWS IoT on Cognito identities. Every change may be repeated. */
export interface Policies {
  /** Those that this platform has attached. */
  attached(identityId: string): Promise<readonly AttachedPolicy[]>;
  /** Whether there is such a policy, attached or not. */
  exists(name: string): Promise<boolean>;
  /** Makes the policy have this document, and attaches it. */
  put(policy: AttachedPolicy, identityId: string): Promise<void>;
  /** Detaches it from this identity and deletes it. */
  remove(name: string, identityId: string): Promise<void>;
}

/** The message broker of AWS IoT. */
export interface Connections {
  /** Ends a connection and its session; nothing when there is none. */
  end(clientId: string): Promise<void>;
}

/** Who is told about what. */
export interface Watching {
  watch(person: string, target: GrantTarget): Promise<void>;
  unwatch(person: string, target: GrantTarget): Promise<void>;
}

/** Calls back when a grant ends. */
export interface Endings {
  schedule(ending: GrantEnding): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  changed(change: { readonly person: string; readonly policies: number; readonly reduced: boolean }): void;
  ended(session: { readonly clientId: string; readonly person: string | undefined }): void;
  /** More grants than policies have room for: those that are left out do not reach MQTT. */
  tooMany(person: string, policies: number): void;
  failed(what: string, error: unknown): void;
}

export interface Ports {
  readonly people: People;
  readonly sessions: Sessions;
  readonly policies: Policies;
  readonly connections: Connections;
  readonly watching: Watching;
  readonly endings: Endings;
  readonly reports: Reports;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  /** Epoch milliseconds. */
  now(): number;
}
