import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { limitExceeded, resourceAlreadyExists, resourceNotFound } from '../control/errors.ts';
import type { CertificateMode } from '../types.ts';
import { certificateIdOf, isIssuedBy, type Validity, validityOf } from './x509.ts';

/** Quotas, "Maximum number of CA certificates with the same subject field allowed per account per Region". */
const MAX_OF_ONE_SUBJECT = 10;

export interface CaCertificate {
  readonly certificateId: string;
  readonly arn: string;
  readonly pem: string;
  readonly x509: X509Certificate;
  readonly mode: CertificateMode;
  readonly createdAt: number;
  readonly generationId: string;
  readonly validity: Validity;
  status: 'ACTIVE' | 'INACTIVE';
  autoRegistration: 'ENABLE' | 'DISABLE';
  lastModifiedAt: number;
  /** Grows with each change. */
  customerVersion: number;
}

export interface NewCa {
  readonly x509: X509Certificate;
  readonly mode: CertificateMode;
  readonly active: boolean;
  readonly autoRegistration: boolean;
}

/** The CAs whose device certificates the account accepts, and the code with which their owners prove themselves. */
export class CaStore {
  readonly #kernel: Kernel;
  readonly #cas = new Map<string, CaCertificate>();
  readonly #bySubject = new Map<string, Set<CaCertificate>>();
  #registrationCode: string | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get all(): Iterable<CaCertificate> {
    return this.#cas.values();
  }

  /** 64 hex digits, the same until it is deleted. */
  registrationCode(): string {
    this.#registrationCode ??= randomBytes(32).toString('hex');
    return this.#registrationCode;
  }

  deleteRegistrationCode(): void {
    this.#registrationCode = undefined;
  }

  /** @throws AwsError ResourceNotFoundException */
  get(certificateId: string): CaCertificate {
    const found = this.#cas.get(certificateId);
    if (!found) throw resourceNotFound(`The CA certificate given does not exist: ${certificateId}`);
    return found;
  }

  /** @throws AwsError ResourceAlreadyExistsException, LimitExceededException */
  add({ x509, mode, active, autoRegistration }: NewCa): CaCertificate {
    const certificateId = certificateIdOf(x509.raw);
    const arn = this.#kernel.arn('iot', `cacert/${certificateId}`);
    if (this.#cas.has(certificateId)) {
      throw resourceAlreadyExists('The CA certificate is already registered', certificateId, arn);
    }
    if ((this.#bySubject.get(x509.subject)?.size ?? 0) >= MAX_OF_ONE_SUBJECT) {
      throw limitExceeded(`There are ${MAX_OF_ONE_SUBJECT} CA certificates with this subject; more are not possible`);
    }
    const now = this.#kernel.clock.now();
    const ca: CaCertificate = {
      certificateId,
      arn,
      pem: x509.toString(),
      x509,
      mode,
      createdAt: now,
      generationId: randomUUID(),
      validity: validityOf(x509),
      status: active ? 'ACTIVE' : 'INACTIVE',
      autoRegistration: autoRegistration ? 'ENABLE' : 'DISABLE',
      lastModifiedAt: now,
      customerVersion: 1,
    };
    this.#put(ca);
    return ca;
  }

  *save(): Generator<KeptRecord> {
    if (this.#registrationCode !== undefined) yield ['registrationCode', this.#registrationCode];
    for (const { x509: _, ...ca } of this.#cas.values()) yield [`ca/${ca.certificateId}`, ca];
  }

  restore(records: KeptRecords): void {
    this.#registrationCode = records.get('registrationCode');
    for (const ca of records.all<Omit<CaCertificate, 'x509'>>('ca/')) {
      this.#put({ ...ca, x509: new X509Certificate(ca.pem) });
    }
  }

  update(ca: CaCertificate, change: Partial<Pick<CaCertificate, 'status' | 'autoRegistration'>>): void {
    Object.assign(ca, change);
    ca.lastModifiedAt = this.#kernel.clock.now();
    ca.customerVersion += 1;
  }

  delete(ca: CaCertificate): void {
    this.#cas.delete(ca.certificateId);
    const siblings = this.#bySubject.get(ca.x509.subject);
    siblings?.delete(ca);
    if (siblings?.size === 0) this.#bySubject.delete(ca.x509.subject);
  }

  #put(ca: CaCertificate): void {
    const { subject } = ca.x509;
    this.#cas.set(ca.certificateId, ca);
    this.#bySubject.set(subject, (this.#bySubject.get(subject) ?? new Set()).add(ca));
  }

  /** The CAs whose key has signed this certificate: a CA of the same name with another key is none. */
  issuersOf(x509: X509Certificate): readonly CaCertificate[] {
    const named = this.#bySubject.get(x509.issuer);
    return named ? [...named].filter((ca) => isIssuedBy(x509, ca.x509)) : [];
  }
}
