/** The IoT policy engine with a registry and certificates, without broker and network. */
import { X509Certificate } from 'node:crypto';
import type { Iam } from '../../local/src/iam/iam.ts';
import type { PolicyStatement } from '../../local/src/iam/policy-document.ts';
import { Kernel } from '../../local/src/kernel/kernel.ts';
import {
  CertificateStore,
  type StoredCertificate,
} from '../../local/src/services/iot/certificates/certificate-store.ts';
import { Authorizer } from '../../local/src/services/iot/policies/authorizer.ts';
import { PolicyStore } from '../../local/src/services/iot/policies/policy-store.ts';
import { ThingRegistry } from '../../local/src/services/iot/registry/thing-registry.ts';
import { ThingTypes } from '../../local/src/services/iot/registry/thing-types.ts';
import type { IotAccessRequest } from '../../local/src/services/iot/types.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export const ARN = 'arn:aws:iot:us-east-1:123456789012';

export interface Question extends Partial<Omit<IotAccessRequest, 'principal'>> {
  readonly action: string;
  readonly resource: string;
}

export class PolicyFixture {
  readonly kernel = new Kernel(
    { region: 'us-east-1', accountId: '123456789012', endpoint: 'http://127.0.0.1:4566', log: SILENT },
    () => ({ authorize() {} }) as unknown as Iam,
  );
  readonly revision = { value: 0 };
  readonly policies: PolicyStore;
  readonly things: ThingRegistry;
  readonly certificates: CertificateStore;
  readonly authorizer: Authorizer;
  #count = 0;

  constructor() {
    const onChange = () => {
      this.revision.value += 1;
    };
    this.policies = new PolicyStore(this.kernel, onChange);
    this.things = new ThingRegistry(this.kernel, new ThingTypes(this.kernel), onChange);
    this.certificates = new CertificateStore(this.kernel, onChange);
    this.authorizer = new Authorizer(this.kernel, this);
  }

  certificate(pem: string): StoredCertificate {
    const x509 = new X509Certificate(pem);
    return this.certificates.add({ x509, caCertificateId: undefined, mode: 'DEFAULT', status: 'ACTIVE' });
  }

  /** Replaces what is attached to the certificate by one policy of these statements. */
  attach(certificate: StoredCertificate, ...Statement: readonly PolicyStatement[]): void {
    for (const policy of this.policies.attachedTo(certificate.arn)) this.policies.detach(policy, certificate.arn);
    const text = JSON.stringify({ Version: '2012-10-17', Statement });
    this.policies.attach(this.policies.create(`policy-${this.#count++}`, text), certificate.arn);
  }

  allows(certificate: StoredCertificate, question: Question): boolean {
    return this.authorizer.allows({
      principal: { kind: 'certificate', certificate },
      protocol: 'mqtt',
      clientId: undefined,
      sourceIp: '127.0.0.1',
      ...question,
    });
  }
}
