/** The operations of AWS IoT's control plane beside the rules. */
import type { AnyOperation } from '../../../kernel/service.ts';
import type { ControlPlane } from './control-plane.ts';
import { caCertificateOperations } from './operations/ca-certificates.ts';
import { certificateOperations } from './operations/certificates.ts';
import { createCertificateFromCsr, createKeysAndCertificate } from './operations/create-certificate.ts';
import { describeEndpoint } from './operations/describe-endpoint.ts';
import { getEffectivePolicies } from './operations/effective-policies.ts';
import { eventConfigurationOperations } from './operations/event-configurations.ts';
import { loggingOptionOperations } from './operations/logging-options.ts';
import { policyOperations } from './operations/policies.ts';
import { policyAttachmentOperations } from './operations/policy-attachments.ts';
import { policyVersionOperations } from './operations/policy-versions.ts';
import { registerCaCertificate } from './operations/register-ca-certificate.ts';
import { registerCertificate, registerCertificateWithoutCa } from './operations/register-certificate.ts';
import { roleAliasOperations } from './operations/role-aliases.ts';
import { tagOperations } from './operations/tags.ts';
import { testAuthorization } from './operations/test-authorization.ts';
import { thingConnectivityOperations } from './operations/thing-connectivity.ts';
import { thingGroupMemberOperations } from './operations/thing-group-members.ts';
import { thingGroupOperations } from './operations/thing-groups.ts';
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
    GetEffectivePolicies: getEffectivePolicies(plane),
    TestAuthorization: testAuthorization(plane),
    ...caCertificateOperations(plane),
    ...certificateOperations(plane),
    ...thingOperations(plane),
    ...thingTypeOperations(plane),
    ...thingGroupOperations(plane),
    ...thingGroupMemberOperations(plane),
    ...roleAliasOperations(plane),
    ...tagOperations(plane),
    ...thingPrincipalOperations(plane),
    ...policyOperations(plane),
    ...policyVersionOperations(plane),
    ...policyAttachmentOperations(plane),
    ...eventConfigurationOperations(plane),
    ...thingConnectivityOperations(plane),
    ...loggingOptionOperations(plane),
  };
}
