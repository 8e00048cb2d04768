import { type Route, restJsonProtocol, route } from '../../../http/protocols/index.ts';
import type { WireProtocol } from '../../../kernel/wire.ts';

const MARKER = { pageSize: 'pageSize', marker: 'marker' };
const ORDERED = { ...MARKER, ascendingOrder: 'isAscendingOrder' };
const TOKEN = { nextToken: 'nextToken', maxResults: 'maxResults' };
const PRINCIPAL = { principal: 'x-amzn-principal' };
const IOT_PRINCIPAL = { principal: 'x-amzn-iot-principal' };

/** Method and path of each operation, from the API model of 2015-05-28. */
const ROUTES: readonly Route[] = [
  route('GET', '/endpoint', 'DescribeEndpoint', { query: { endpointType: 'endpointType' } }),
  route('GET', '/registrationcode', 'GetRegistrationCode'),
  route('DELETE', '/registrationcode', 'DeleteRegistrationCode'),

  route('POST', '/cacertificate', 'RegisterCACertificate', {
    query: { setAsActive: 'setAsActive', allowAutoRegistration: 'allowAutoRegistration' },
  }),
  route('GET', '/cacertificate/{certificateId}', 'DescribeCACertificate'),
  route('GET', '/cacertificates', 'ListCACertificates', { query: { ...ORDERED, templateName: 'templateName' } }),
  route('PUT', '/cacertificate/{certificateId}', 'UpdateCACertificate', {
    query: { newStatus: 'newStatus', newAutoRegistrationStatus: 'newAutoRegistrationStatus' },
  }),
  route('DELETE', '/cacertificate/{certificateId}', 'DeleteCACertificate'),

  route('POST', '/certificate/register', 'RegisterCertificate', { query: { setAsActive: 'setAsActive' } }),
  route('POST', '/certificate/register-no-ca', 'RegisterCertificateWithoutCA'),
  route('POST', '/keys-and-certificate', 'CreateKeysAndCertificate', { query: { setAsActive: 'setAsActive' } }),
  route('POST', '/certificates', 'CreateCertificateFromCsr', { query: { setAsActive: 'setAsActive' } }),
  route('GET', '/certificates/{certificateId}', 'DescribeCertificate'),
  route('GET', '/certificates', 'ListCertificates', { query: ORDERED }),
  route('GET', '/certificates-by-ca/{caCertificateId}', 'ListCertificatesByCA', { query: ORDERED }),
  route('PUT', '/certificates/{certificateId}', 'UpdateCertificate', { query: { newStatus: 'newStatus' } }),
  route('DELETE', '/certificates/{certificateId}', 'DeleteCertificate', { query: { forceDelete: 'forceDelete' } }),

  route('POST', '/things/{thingName}', 'CreateThing'),
  route('GET', '/things/{thingName}', 'DescribeThing'),
  route('PATCH', '/things/{thingName}', 'UpdateThing'),
  route('DELETE', '/things/{thingName}', 'DeleteThing', { query: { expectedVersion: 'expectedVersion' } }),
  route('GET', '/things', 'ListThings', {
    query: {
      ...TOKEN,
      attributeName: 'attributeName',
      attributeValue: 'attributeValue',
      thingTypeName: 'thingTypeName',
      usePrefixAttributeValue: 'usePrefixAttributeValue',
    },
  }),

  route('POST', '/thing-types/{thingTypeName}', 'CreateThingType'),
  route('GET', '/thing-types/{thingTypeName}', 'DescribeThingType'),
  route('GET', '/thing-types', 'ListThingTypes', { query: { ...TOKEN, thingTypeName: 'thingTypeName' } }),
  route('POST', '/thing-types/{thingTypeName}/deprecate', 'DeprecateThingType'),
  route('DELETE', '/thing-types/{thingTypeName}', 'DeleteThingType'),

  route('POST', '/thing-groups/{thingGroupName}', 'CreateThingGroup'),
  route('GET', '/thing-groups/{thingGroupName}', 'DescribeThingGroup'),
  route('PATCH', '/thing-groups/{thingGroupName}', 'UpdateThingGroup'),
  route('DELETE', '/thing-groups/{thingGroupName}', 'DeleteThingGroup', {
    query: { expectedVersion: 'expectedVersion' },
  }),
  route('GET', '/thing-groups', 'ListThingGroups', {
    query: {
      ...TOKEN,
      parentGroup: 'parentGroup',
      namePrefixFilter: 'namePrefixFilter',
      recursive: 'recursive',
    },
  }),
  route('PUT', '/thing-groups/addThingToThingGroup', 'AddThingToThingGroup'),
  route('PUT', '/thing-groups/removeThingFromThingGroup', 'RemoveThingFromThingGroup'),
  route('PUT', '/thing-groups/updateThingGroupsForThing', 'UpdateThingGroupsForThing'),
  route('GET', '/things/{thingName}/thing-groups', 'ListThingGroupsForThing', { query: TOKEN }),
  route('GET', '/thing-groups/{thingGroupName}/things', 'ListThingsInThingGroup', {
    query: { ...TOKEN, recursive: 'recursive' },
  }),

  route('PUT', '/things/{thingName}/principals', 'AttachThingPrincipal', {
    headers: PRINCIPAL,
    query: { thingPrincipalType: 'thingPrincipalType' },
  }),
  route('DELETE', '/things/{thingName}/principals', 'DetachThingPrincipal', { headers: PRINCIPAL }),
  route('GET', '/things/{thingName}/principals', 'ListThingPrincipals', { query: TOKEN }),
  route('GET', '/things/{thingName}/principals-v2', 'ListThingPrincipalsV2', {
    query: { ...TOKEN, thingPrincipalType: 'thingPrincipalType' },
  }),
  route('GET', '/principals/things', 'ListPrincipalThings', { headers: PRINCIPAL, query: TOKEN }),
  route('GET', '/principals/things-v2', 'ListPrincipalThingsV2', {
    headers: PRINCIPAL,
    query: { ...TOKEN, thingPrincipalType: 'thingPrincipalType' },
  }),

  route('POST', '/policies/{policyName}', 'CreatePolicy'),
  route('GET', '/policies/{policyName}', 'GetPolicy'),
  route('GET', '/policies', 'ListPolicies', { query: ORDERED }),
  route('DELETE', '/policies/{policyName}', 'DeletePolicy'),
  route('POST', '/policies/{policyName}/version', 'CreatePolicyVersion', { query: { setAsDefault: 'setAsDefault' } }),
  route('GET', '/policies/{policyName}/version', 'ListPolicyVersions'),
  route('GET', '/policies/{policyName}/version/{policyVersionId}', 'GetPolicyVersion'),
  route('PATCH', '/policies/{policyName}/version/{policyVersionId}', 'SetDefaultPolicyVersion'),
  route('DELETE', '/policies/{policyName}/version/{policyVersionId}', 'DeletePolicyVersion'),

  route('PUT', '/target-policies/{policyName}', 'AttachPolicy'),
  route('POST', '/target-policies/{policyName}', 'DetachPolicy'),
  route('POST', '/attached-policies/{target}', 'ListAttachedPolicies', {
    query: { ...MARKER, recursive: 'recursive' },
  }),
  route('POST', '/policy-targets/{policyName}', 'ListTargetsForPolicy', { query: MARKER }),
  route('PUT', '/principal-policies/{policyName}', 'AttachPrincipalPolicy', { headers: IOT_PRINCIPAL }),
  route('DELETE', '/principal-policies/{policyName}', 'DetachPrincipalPolicy', { headers: IOT_PRINCIPAL }),
  route('GET', '/principal-policies', 'ListPrincipalPolicies', { headers: IOT_PRINCIPAL, query: ORDERED }),
  route('GET', '/policy-principals', 'ListPolicyPrincipals', {
    headers: { policyName: 'x-amzn-iot-policy' },
    query: ORDERED,
  }),
  route('POST', '/effective-policies', 'GetEffectivePolicies', { query: { thingName: 'thingName' } }),
  route('POST', '/test-authorization', 'TestAuthorization', { query: { clientId: 'clientId' } }),

  route('POST', '/role-aliases/{roleAlias}', 'CreateRoleAlias'),
  route('GET', '/role-aliases/{roleAlias}', 'DescribeRoleAlias'),
  route('PUT', '/role-aliases/{roleAlias}', 'UpdateRoleAlias'),
  route('DELETE', '/role-aliases/{roleAlias}', 'DeleteRoleAlias'),
  route('GET', '/role-aliases', 'ListRoleAliases', { query: ORDERED }),

  route('POST', '/tags', 'TagResource'),
  route('POST', '/untag', 'UntagResource'),
  route('GET', '/tags', 'ListTagsForResource', { query: { resourceArn: 'resourceArn', nextToken: 'nextToken' } }),

  route('POST', '/things/{thingName}/connectivity-data', 'GetThingConnectivityData'),
  route('GET', '/indexing/config', 'GetIndexingConfiguration'),
  route('POST', '/indexing/config', 'UpdateIndexingConfiguration'),
  route('GET', '/event-configurations', 'DescribeEventConfigurations'),
  route('PATCH', '/event-configurations', 'UpdateEventConfigurations'),

  route('POST', '/v2LoggingOptions', 'SetV2LoggingOptions'),
  route('GET', '/v2LoggingOptions', 'GetV2LoggingOptions'),
];

/** The wire protocol of the service `iot`, with the routes of the rules engine. */
export function controlProtocol(ruleRoutes: readonly Route[]): WireProtocol {
  return restJsonProtocol([...ROUTES, ...ruleRoutes], {
    inputTypes: {
      '*': {
        allowAutoRegistration: 'boolean',
        ascendingOrder: 'boolean',
        expectedVersion: 'number',
        forceDelete: 'boolean',
        maxResults: 'number',
        pageSize: 'number',
        recursive: 'boolean',
        setAsActive: 'boolean',
        setAsDefault: 'boolean',
        usePrefixAttributeValue: 'boolean',
      },
    },
  });
}
