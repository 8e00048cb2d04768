import { X509Certificate } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { ThingRegistry } from '../registry/thing-registry.ts';
import type {
  Certificate,
  CertificateDirectory,
  CertificateMode,
  ConnectedThing,
  IdentifyResult,
  MessageBus,
} from '../types.ts';
import type { CaCertificate, CaStore } from './ca-store.ts';
import type { CertificateStore, StoredCertificate } from './certificate-store.ts';
import { certificateIdOf, mayBeClient, type Validity, validityOf, weakness } from './x509.ts';

export interface RegisteredCertificatesOptions {
  readonly certificates: CertificateStore;
  readonly cas: CaStore;
  readonly things: ThingRegistry;
  readonly bus: MessageBus;
  /** The name that DescribeEndpoint gives to devices. */
  readonly endpoint: string;
}

interface Peer {
  readonly der: Buffer;
  readonly sni: string | undefined;
  readonly clientId: string;
}

/**
 * Decides about the certificates of connecting devices, and registers unknown ones of a registered CA just in time
 * (https://docs.aws.amazon.com/iot/latest/developerguide/auto-register-device-cert.html).
 */
export class RegisteredCertificates implements CertificateDirectory {
  readonly #kernel: Kernel;
  readonly #options: RegisteredCertificatesOptions;

  constructor(kernel: Kernel, options: RegisteredCertificatesOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  identify(peer: Peer): IdentifyResult {
    // One hash finds a known device; its certificate was parsed when it was registered.
    const known = this.#options.certificates.find(certificateIdOf(peer.der));
    if (!known) return this.#register(peer);
    const problem = this.#problemOf(known, peer.sni);
    // Measured on AWS: the event is repeated on every CONNECT while the certificate stays pending.
    if (problem === undefined && known.status === 'PENDING_ACTIVATION') this.#announce(known, peer.clientId);
    return judged(known, problem);
  }

  verify({ der, sni }: Omit<Peer, 'clientId'>): IdentifyResult {
    const known = this.#options.certificates.find(certificateIdOf(der));
    return known ? judged(known, this.#problemOf(known, sni)) : refused('the certificate is not registered');
  }

  find(certificateId: string): Certificate | undefined {
    return this.#options.certificates.find(certificateId);
  }

  thingOf({ arn }: Certificate, clientId: string): ConnectedThing | undefined {
    const { things } = this.#options;
    const thing = things.thingOf(arn, clientId);
    return thing && { name: thing.name, isExclusive: things.exclusiveThingOf(arn) === thing };
  }

  onDeactivated(listener: (certificateId: string) => void): void {
    this.#options.certificates.onDeactivated(listener);
  }

  /** Why a certificate cannot be used, whatever its status is. */
  #problemOf({ validity, mode }: StoredCertificate, sni: string | undefined): string | undefined {
    return this.#outOfDate(validity) ?? this.#wrongName(mode, sni);
  }

  #register({ der, sni, clientId }: Peer): IdentifyResult {
    const x509 = new X509Certificate(der);
    const issuers = this.#options.cas.issuersOf(x509);
    const ca = issuers.find(takesPart) ?? issuers[0];
    if (!ca) return refused(`the certificate is not registered, and no registered CA has signed it (${x509.issuer})`);
    if (!takesPart(ca)) {
      const state = `${ca.status}, auto-registration ${ca.autoRegistration}`;
      return refused(`the certificate is not registered, and its CA ${ca.certificateId} is ${state}`);
    }
    const problem =
      this.#wrongName(ca.mode, sni) ??
      this.#outOfDate(validityOf(x509)) ??
      (this.#outOfDate(ca.validity) === undefined
        ? undefined
        : `the CA certificate ${ca.certificateId} is out of date`) ??
      weakness(x509) ??
      (mayBeClient(x509) ? undefined : 'the extended key usage of the certificate is not client authentication');
    if (problem !== undefined) return refused(problem);
    const certificate = this.#options.certificates.add({
      x509,
      caCertificateId: ca.certificateId,
      mode: ca.mode,
      status: 'PENDING_ACTIVATION',
    });
    this.#kernel.log.info('certificate registered', { certificateId: certificate.certificateId, clientId });
    this.#announce(certificate, clientId);
    return refused(`the certificate ${certificate.certificateId} has just been registered; it is PENDING_ACTIVATION`);
  }

  #announce({ certificateId, caCertificateId, status }: StoredCertificate, clientId: string): void {
    // A certificate that is registered by hand is never pending, so there is always a CA.
    this.#options.bus.publishFromService(
      `$aws/events/certificates/registered/${caCertificateId}`,
      {
        certificateId,
        caCertificateId,
        timestamp: this.#kernel.clock.now(),
        certificateStatus: status,
        awsAccountId: this.#kernel.accountId,
        // Measured on AWS: always null (ministackorg/ministack PR 1755).
        certificateRegistrationTimestamp: null,
      },
      { clientId },
    );
  }

  /** Device certificates live in virtual time. */
  #outOfDate({ notBefore, notAfter }: Validity): string | undefined {
    const now = this.#kernel.clock.now();
    if (now < notBefore) return `the certificate is valid from ${new Date(notBefore).toISOString()} on`;
    return now > notAfter ? `the certificate has expired on ${new Date(notAfter).toISOString()}` : undefined;
  }

  /** "devices must provide SNI with the complete endpoint address" (manage-your-CA-certs, SNI_ONLY). */
  #wrongName(mode: CertificateMode, sni: string | undefined): string | undefined {
    const { endpoint } = this.#options;
    if (mode === 'DEFAULT' || sni === endpoint) return undefined;
    return `a certificate in mode SNI_ONLY needs the server name ${endpoint}; the client asked for ${sni ?? 'none'}`;
  }
}

function takesPart({ status, autoRegistration }: CaCertificate): boolean {
  return status === 'ACTIVE' && autoRegistration === 'ENABLE';
}

function judged(certificate: StoredCertificate, problem: string | undefined): IdentifyResult {
  const { certificateId, status } = certificate;
  if (problem === undefined && status === 'ACTIVE') return { kind: 'active', certificate };
  return refused(problem ?? `the certificate ${certificateId} is ${status}`);
}

function refused(reason: string): IdentifyResult {
  return { kind: 'refused', reason };
}
