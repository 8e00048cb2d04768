import { randomUUID, type X509Certificate } from 'node:crypto';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { resourceAlreadyExists, resourceNotFound } from '../control/errors.ts';
import type { Certificate, CertificateMode, CertificateStatus } from '../types.ts';
import { certificateIdOf, type Validity, validityOf } from './x509.ts';

/** What the registry keeps of a device certificate beside what the data plane needs. */
export interface StoredCertificate extends Certificate {
  readonly generationId: string;
  readonly validity: Validity;
  /** Grows with each change of the status. */
  customerVersion: number;
}

export interface NewCertificate {
  readonly x509: X509Certificate;
  readonly caCertificateId: string | undefined;
  readonly mode: CertificateMode;
  readonly status: CertificateStatus;
}

/** The device certificates of the account. */
export class CertificateStore {
  readonly #kernel: Kernel;
  readonly #onChange: () => void;
  readonly #certificates = new Map<string, StoredCertificate>();
  readonly #deactivated: ((certificateId: string) => void)[] = [];

  /** `onChange` is called whenever an answer about a certificate may change. */
  constructor(kernel: Kernel, onChange: () => void) {
    this.#kernel = kernel;
    this.#onChange = onChange;
  }

  get all(): Iterable<StoredCertificate> {
    return this.#certificates.values();
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

  *save(): Generator<KeptRecord> {
    for (const each of this.#certificates.values()) yield [`certificate/${each.certificateId}`, each];
  }

  restore(records: KeptRecords): void {
    for (const each of records.all<StoredCertificate>('certificate/')) this.#certificates.set(each.certificateId, each);
  }

  onDeactivated(listener: (certificateId: string) => void): void {
    this.#deactivated.push(listener);
  }

  arnOf(certificateId: string): string {
    return this.#kernel.arn('iot', `cert/${certificateId}`);
  }

  #tellDeactivated(certificateId: string): void {
    for (const listener of this.#deactivated) listener(certificateId);
  }
}
