import type { CodeRow, GrantTarget } from '@thingstead/contracts/grants';
import type { ThingCodesRow } from '@thingstead/contracts/ownership';
import type { PairingRejected } from '@thingstead/contracts/pairing';

export type Rejection = PairingRejected['error'];

export interface Registry {
  exists(thing: string): Promise<boolean>;
}

export interface NewCode {
  readonly selector: string;
  readonly row: CodeRow;
  /** What the thing shows then. */
  readonly shown: ThingCodesRow;
  /** What it showed when this was decided. */
  readonly before: ThingCodesRow | undefined;
  /** Rows that ended by then may be replaced. */
  readonly now: number;
}

/** The codes in the access table. All reads are consistent. */
export interface Codes {
  hasOwner(target: GrantTarget): Promise<boolean>;
  shown(thing: string): Promise<ThingCodesRow | undefined>;
  /** Both rows, or none: false when another code has the selector, or the thing was given a code meanwhile. */
  put(code: NewCode): Promise<boolean>;
}

/** The answers to a device. One answer may come twice. */
export interface Answers {
  accepted(thing: string, id: string | undefined, code: string, expiresAt: number): Promise<void>;
  rejected(thing: string, id: string | undefined, error: Rejection, reason: string): Promise<void>;
}

/** Tells the operator what happened. No code is in it. */
export interface Reports {
  given(thing: string): void;
  rejected(thing: string, error: Rejection): void;
}

export interface Ports {
  readonly registry: Registry;
  readonly codes: Codes;
  readonly answers: Answers;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
  /** A whole number from 0 up to and without `limit`, each as likely as the others. */
  randomBelow(limit: number): number;
}
