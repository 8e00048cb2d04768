import type { GrantRow } from '@thingstead/contracts/grants';
import type { VoiceThingRow } from '@thingstead/contracts/voice';
import type { Sample } from '../alexa/properties.ts';
import type { Grants } from '../authorization/access.ts';

/** Whose token it is, or why it is nobody's. */
export type Verified =
  | { readonly ok: true; readonly person: string }
  | { readonly ok: false; readonly reason: 'expired' | 'invalid' };

/** Access tokens of the user pool's client for Alexa. */
export interface AccessTokens {
  verify(token: string): Promise<Verified>;
}

export interface AllGrants extends Grants {
  /** Those of a person, in force or not, by a consistent read. */
  all(person: string): Promise<readonly GrantRow[]>;
}

/** Rows of things that have described themselves. */
export interface VoiceThings {
  read(thing: string): Promise<VoiceThingRow | undefined>;
  /** In no order; names without a description are left out. */
  readMany(things: readonly string[]): Promise<readonly VoiceThingRow[]>;
  /** The first things of a site by name. */
  namesOfSite(site: string, limit: number): Promise<readonly string[]>;
}

/** A classic shadow. Times are epoch milliseconds, of whole seconds. */
export interface ShadowDocument {
  readonly version: number;
  readonly reported: ReadonlyMap<string, Sample>;
  readonly desired: ReadonlyMap<string, Sample>;
}

export interface DesiredShadows {
  /** Undefined when there is none. */
  read(thing: string): Promise<ShadowDocument | undefined>;
  /**
   * Sets one member of `desired`; undefined removes it. Gives when that was, by the shadow's clock (epoch milliseconds of a whole
   * second); undefined when the shadow is no longer at this version. Without a version it is set whatever there is.
   */
  setDesired(thing: string, member: string, value: unknown, version: number | undefined): Promise<number | undefined>;
}

export interface SensorReading extends Sample {
  /** Epoch milliseconds; `at` is by the clock of the device, which may be ahead. */
  readonly receivedAt: number;
}

export interface SensorReadings {
  /** The newest reading; undefined when there is none. */
  latest(thing: string, sensor: string): Promise<SensorReading | undefined>;
}

export interface AlexaTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Of the access token, epoch milliseconds. */
  readonly endsAt: number;
}

/** Login with Amazon. `refused`: the code or the token is not taken, and never will be. */
export type Login =
  | { readonly ok: true; readonly tokens: AlexaTokens }
  | { readonly ok: false; readonly refused: string };

export interface Authorizations {
  /** A code is taken once. */
  exchange(code: string): Promise<Login>;
}

export interface NewLinks {
  /** In place of an earlier one. */
  put(person: string, linkId: string, tokens: AlexaTokens, now: number): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  answered(directive: Described, outcome: string): void;
  /** There are more endpoints than Alexa takes. */
  cut(person: string, endpoints: number): void;
  linked(person: string): void;
  failed(directive: Described, error: unknown): void;
}

/** A directive in a log: nothing of it is secret. */
export interface Described {
  readonly directive: string;
  readonly person?: string | undefined;
  readonly thing?: string | undefined;
}

export interface Ports {
  readonly tokens: AccessTokens;
  readonly grants: AllGrants;
  readonly things: VoiceThings;
  readonly shadows: DesiredShadows;
  readonly readings: SensorReadings;
  readonly authorizations: Authorizations;
  readonly links: NewLinks;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
  pause(milliseconds: number): Promise<void>;
  /** A UUID. */
  newId(): string;
}
