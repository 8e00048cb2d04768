import { randomBytes, randomUUID, type X509Certificate } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import { limitExceeded, resourceAlreadyExists, resourceNotFound } from '../control/errors.ts';
import type { Certificate, CertificateMode, CertificateStatus } from '../types.ts';
import { certificateIdOf, isIssuedBy } from './x509.ts';

/** Quotas, "Maximum number of CA certificates with the same subject field allowed per account per Region". */
const MAX_CAS_OF_ONE_SUBJECT = 10;

export interface Validity {
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What the registry keeps of a device certificate beside what the data plane needs. */
export interface StoredCertificate extends Certificate {
  readonly generationId: string;
  readonly validity: Validity;
  /** Grows with each change of the status. */
  customerVersion: number;
}

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
  customerVersion: number;
}

export interface NewCertificate {
  readonly x509: X509Certificate;
  readonly caCertificateId: string | undefined;
  readonly mode: CertificateMode;
  readonly status: CertificateStatus;
}

export interface NewCa {
  readonly x509: X509Certificate;
  readonly mode: CertificateMode;
  readonly active: boolean;
  readonly autoRegistration: boolean;
}

/** Device and CA certificates of the account, and its registration code. */
export class CertificateStore {
  readonly #kernel: Kernel;
  readonly #onChange: () => void;
  readonly #certificates = new Map<string, StoredCertificate>();
  readonly #cas = new Map<string, CaCertificate>();
  readonly #casBySubject = new Map<string, Set<CaCertificate>>();
  readonly #deactivated: ((certificateId: string) => void)[] = [];
  #registrationCode: string | undefined;

  /** `onChange` is called whenever an answer about a certificate may change. */
  constructor(kernel: Kernel, onChange: () => void) {
    this.#kernel = kernel;
    this.#onChange = onChange;
  }

  get all(): Iterable<StoredCertificate> {
    return this.#certificates.values();
  }

  get cas(): Iterable<CaCertificate> {
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

  find(certificateId: string): StoredCertificate | undefined {
    return this.#certificates.get(certificateId);
  }

  /** @throws AwsError ResourceNotFoundException */
  get(certificateId: string): StoredCertificate {
    const found = this.#certificates.get(certificateId);
    if (!found) throw resourceNotFound(`The certificate given does not exist: ${certificateId}`);
    return found;
  }

  /** @throws AwsError ResourceAlreadyExistsException when this very certificate is registered */
  add({ x509, caCertificateId, mode, status }: NewCertificate): StoredCertificate {
    const certificateId = certificateIdOf(x509.raw);
    const arn = this.arnOf(certificateId);
    if (this.#certificates.has(certificateId)) {
      throw resourceAlreadyExists('The certificate is already registered', certificateId, arn);
    }
    const now = this.#kernel.clock.now();
    const certificate: StoredCertificate = {
      certificateId,
      arn,
      pem: x509.toString(),
      caCertificateId,
      mode,
      createdAt: now,
      generationId: randomUUID(),
      validity: validityOf(x509),
      status,
      lastModifiedAt: now,
      customerVersion: 1,
    };
    this.#certificates.set(certificateId, certificate);
    this.#onChange();
    return certificate;
  }

  setStatus(certificate: StoredCertificate, status: CertificateStatus): void {
    if (certificate.status === status) return;
    const wasActive = certificate.status === 'ACTIVE';
    certificate.status = status;
    certificate.lastModifiedAt = this.#kernel.clock.now();
    certificate.customerVersion += 1;
    this.#onChange();
    if (wasActive) this.#tellDeactivated(certificate.certificateId);
  }

  delete(certificate: StoredCertificate): void {
    this.#certificates.delete(certificate.certificateId);
    this.#onChange();
    this.#tellDeactivated(certificate.certificateId);
  }

  onDeactivated(listener: (certificateId: string) => void): void {
    this.#deactivated.push(listener);
  }

  findCa(certificateId: string): CaCertificate | undefined {
    return this.#cas.get(certificateId);
  }

  /** @throws AwsError ResourceNotFoundException */
  getCa(certificateId: string): CaCertificate {
    const found = this.#cas.get(certificateId);
    if (!found) throw resourceNotFound(`The CA certificate given does not exist: ${certificateId}`);
    return found;
  }

  /** @throws AwsError ResourceAlreadyExistsException, LimitExceededException */
  addCa({ x509, mode, active, autoRegistration }: NewCa): CaCertificate {
    const certificateId = certificateIdOf(x509.raw);
    const arn = this.#kernel.arn('iot', `cacert/${certificateId}`);
    if (this.#cas.has(certificateId)) {
      throw resourceAlreadyExists('The CA certificate is already registered', certificateId, arn);
    }
    const siblings = this.#casBySubject.get(x509.subject) ?? new Set();
    if (siblings.size >= MAX_CAS_OF_ONE_SUBJECT) {
      throw limitExceeded(
        `There are ${MAX_CAS_OF_ONE_SUBJECT} CA certificates with this subject; more are not possible`,
      );
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
    this.#cas.set(certificateId, ca);
    this.#casBySubject.set(x509.subject, siblings.add(ca));
    return ca;
  }

  updateCa(ca: CaCertificate, change: Partial<Pick<CaCertificate, 'status' | 'autoRegistration'>>): void {
    Object.assign(ca, change);
    ca.lastModifiedAt = this.#kernel.clock.now();
    ca.customerVersion += 1;
  }

  deleteCa(ca: CaCertificate): void {
    this.#cas.delete(ca.certificateId);
    const siblings = this.#casBySubject.get(ca.x509.subject);
    siblings?.delete(ca);
    if (siblings?.size === 0) this.#casBySubject.delete(ca.x509.subject);
  }

  /** The registered CAs whose key has signed this certificate: a CA of the same name with another key is none. */
  issuersOf(x509: X509Certificate): readonly CaCertificate[] {
    const named = this.#casBySubject.get(x509.issuer);
    return named ? [...named].filter((ca) => isIssuedBy(x509, ca.x509)) : [];
  }

  arnOf(certificateId: string): string {
    return this.#kernel.arn('iot', `cert/${certificateId}`);
  }

  #tellDeactivated(certificateId: string): void {
    for (const listener of this.#deactivated) listener(certificateId);
  }
}

function validityOf(x509: X509Certificate): Validity {
  return { notBefore: x509.validFromDate.getTime(), notAfter: x509.validToDate.getTime() };
}
