import type { CertificateSettings, IssuerRow, RenewalRow } from '@thingstead/contracts/certificate-store';
import type { CertificateAnswer, CertificateRejection } from '@thingstead/contracts/certificates';
import type { IdentityClaim, RotationRecord } from '@thingstead/contracts/registration';
import type { Registry as RegistrationRegistry } from '../registration/ports.ts';

/** The registry of AWS IoT. Every write may be repeated. */
export interface Registry
  extends Pick<
    RegistrationRegistry,
    'certificate' | 'authority' | 'principalsOf' | 'attachPolicy' | 'attachThing' | 'setStatus'
  > {
  /** Makes a certificate of this CA known, INACTIVE. One that is known stays as it is. PEM both. */
  register(certificate: string, ca: string): Promise<void>;
}

/** The registration table. All reads are consistent. */
export interface Records {
  claim(thing: string): Promise<IdentityClaim | undefined>;
  /** Gives a thing's name to another certificate. False when `from` does not have it any more. */
  moveClaim(from: string, to: IdentityClaim): Promise<boolean>;
  renewal(thing: string): Promise<RenewalRow | undefined>;
  /** Replaces the row of this version, or makes it for version 0, with the version after it. False when there is another by now. */
  putRenewal(row: RenewalRow): Promise<boolean>;
  /** Says which certificate comes next, so that nobody takes it for a stranger's. */
  announce(rotation: RotationRecord): Promise<void>;
  /** The CA whose key is in KMS; undefined when the operator has not made it yet. */
  issuer(): Promise<IssuerRow | undefined>;
  isRevoked(certificate: {
    readonly certificateId: string;
    readonly caCertificateId: string;
    readonly serialNumber: string;
  }): Promise<boolean>;
}

/** The key of the CA: ECDSA on P-256. Takes a SHA-256, gives the signature in DER. */
export interface Signer {
  sign(digest: Uint8Array): Promise<Uint8Array>;
}

/** The answers to a device. One answer may come twice. */
export interface Answers {
  accepted(thing: string, answer: CertificateAnswer): Promise<void>;
  rejected(thing: string, rejection: CertificateRejection): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  renewed(of: { readonly thing: string; readonly certificateId: string }): void;
  /** A request waits for an operator. */
  pending(of: { readonly thing: string; readonly keyHash: string }): void;
  confirmed(of: { readonly thing: string; readonly certificateId: string; readonly retired: readonly string[] }): void;
  refused(of: { readonly thing: string; readonly code: string; readonly reason: string }): void;
  failed(thing: string | undefined, error: unknown): void;
}

export interface Ports {
  readonly registry: Registry;
  readonly records: Records;
  readonly signer: Signer;
  readonly answers: Answers;
  readonly reports: Reports;
  readonly settings: CertificateSettings;
  /** Epoch milliseconds. */
  now(): number;
  /** Hex, 16 bytes, the first of them between 01 and 7f. */
  newSerialNumber(): string;
}

type Code = CertificateRejection['code'];

/** Why there is no certificate. */
export interface Refused {
  readonly ok: false;
  readonly code: Code;
  readonly reason: string;
  /** Whether it may come to something later. */
  readonly retry: boolean;
}

export type Renewed = { readonly ok: true; readonly certificate: string; readonly certificateId: string } | Refused;

export function refused(code: Code, reason: string, retry = false): Refused {
  return { ok: false, code, reason, retry };
}
