/** The operations of AWS IoT's control plane beside the rules. */
import type { AnyOperation } from '../../../kernel/service.ts';
import type { ControlPlane } from './control-plane.ts';
import { caCertificateOperations } from './operations/ca-certificates.ts';
import { certificateOperations } from './operations/certificates.ts';
import { createCertificateFromCsr, createKeysAndCertificate } from './operations/create-certificate.ts';
import { describeEndpoint } from './operations/describe-endpoint.ts';
import { loggingOptionOperations } from './operations/logging-options.ts';
import { policyOperations } from './operations/policies.ts';
import { policyAttachmentOperations } from './operations/policy-attachments.ts';
import { policyVersionOperations } from './operations/policy-versions.ts';
import { registerCaCertificate } from './operations/register-ca-certificate.ts';
import { registerCertificate, registerCertificateWithoutCa } from './operations/register-certificate.ts';
import { testAuthorization } from './operations/test-authorization.ts';
import { thingPrincipalOperations } from './operations/thing-principals.ts';
import { thingTypeOperations } from './operations/thing-types.ts';
import { thingOperations } from './operations/things.ts';

export function controlOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  return {
    DescribeEndpoint: describeEndpoint(plane),
    RegisterCACertificate: registerCaCertificate(plane),
    RegisterCertificate: registerCertificate(plane),
    RegisterCertificateWithoutCA: registerCertificateWithoutCa(plane),
    CreateKeysAndCertificate: createKeysAndCertificate(plane),
    CreateCertificateFromCsr: createCertificateFromCsr(plane),
    TestAuthorization: testAuthorization(plane),
    ...caCertificateOperations(plane),
    ...certificateOperations(plane),
    ...thingOperations(plane),
    ...thingTypeOperations(plane),
    ...thingPrincipalOperations(plane),
    ...policyOperations(plane),
    ...policyVersionOperations(plane),
    ...policyAttachmentOperations(plane),
    ...loggingOptionOperations(),
  };
}
