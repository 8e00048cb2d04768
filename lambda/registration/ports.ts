import type { HeldReason, ManifestEntry } from '@thingstead/contracts/registration';

export interface DeviceCertificate {
  readonly arn: string;
  readonly pem: string;
  /** AWS IoT's word: ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, PENDING_ACTIVATION. */
  readonly status: string;
  readonly caCertificateId: string | undefined;
}

export interface AuthorityCertificate {
  readonly pem: string;
  readonly active: boolean;
  readonly autoRegistration: boolean;
}

export interface Thing {
  readonly name: string;
  readonly type: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The registry of AWS IoT. Every write may be repeated. */
export interface Registry {
  /** Undefined when there is none of this id (any more). */
  certificate(certificateId: string): Promise<DeviceCertificate | undefined>;
  authority(caCertificateId: string): Promise<AuthorityCertificate | undefined>;
  /** ARNs of all principals that are attached to the thing; none when there is no such thing. */
  principalsOf(thing: string): Promise<readonly string[]>;
  /** Undefined when there is none of this name. */
  thing(name: string): Promise<Thing | undefined>;
  /** False when there is a thing of this name already. */
  createThing(thing: Thing): Promise<boolean>;
  /** Sets the type when there is one, and these attributes; others stay. */
  updateThing(thing: Thing): Promise<void>;
  attachPolicy(certificateArn: string): Promise<void>;
  attachThing(certificateArn: string, thing: string): Promise<void>;
  setStatus(certificateId: string, status: 'ACTIVE' | 'INACTIVE'): Promise<void>;
}

export interface Claim {
  readonly thing: string;
  readonly certificateId: string;
  readonly claimedAt: number;
  /** When the certificate expires, epoch milliseconds. */
  readonly notAfter: number;
}

export interface Refusal {
  readonly certificateId: string;
  readonly caCertificateId: string | undefined;
  readonly thing: string | undefined;
  readonly reason: HeldReason;
  readonly at: number;
}

/** The registration table. All reads are consistent. */
export interface Records {
  /** `invalid` when there is an entry that cannot be read. */
  manifestEntry(thing: string): Promise<ManifestEntry | 'invalid' | undefined>;
  /** The id of the certificate that a rotation of this thing announces. */
  nextCertificate(thing: string): Promise<string | undefined>;
  isRevoked(certificate: {
    readonly certificateId: string;
    readonly caCertificateId: string;
    readonly serialNumber: string;
  }): Promise<boolean>;
  /** The id of the certificate that has this name. */
  claimant(thing: string): Promise<string | undefined>;
  /**
   * Takes a name for a certificate, atomically. False when another one has it, unless `replace`. The certificate that has it
   * already gets it again.
   */
  claim(claim: Claim, options: { readonly replace: boolean }): Promise<boolean>;
  /** Records that a certificate was not activated: adds one to how often. */
  hold(refusal: Refusal): Promise<void>;
  /** Forgets that it was held. */
  release(certificateId: string): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  admitted(device: { readonly certificateId: string; readonly thing: string }): void;
  held(refusal: Refusal): void;
  ignored(certificateId: string, status: string): void;
}

export interface Settings {
  readonly manifest: 'required' | 'open';
  readonly defaultThingType: string;
}

export interface Ports {
  readonly registry: Registry;
  readonly records: Records;
  readonly reports: Reports;
  readonly settings: Settings;
  /** Epoch milliseconds. */
  now(): number;
}
