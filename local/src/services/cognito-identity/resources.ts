import { optionalBoolean, optionalList, optionalObject, optionalText } from '../../template/property-values.ts';
import type { ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

async function call<Output>({ kernel, caller }: ResourceRequest, operation: string, input: object): Promise<Output> {
  return kernel.call<Output>('cognito-identity', operation, input, caller);
}

function poolInput({ properties, generatedName }: ResourceRequest): object {
  return {
    IdentityPoolName: optionalText(properties.IdentityPoolName) ?? generatedName,
    AllowUnauthenticatedIdentities: optionalBoolean(properties.AllowUnauthenticatedIdentities),
    AllowClassicFlow: optionalBoolean(properties.AllowClassicFlow),
    CognitoIdentityProviders: optionalList(properties.CognitoIdentityProviders).map((each) => {
      const provider = optionalObject(each) ?? {};
      return { ...provider, ServerSideTokenCheck: optionalBoolean(provider.ServerSideTokenCheck) };
    }),
  };
}

const identityPool: ResourceHandler = {
  type: 'AWS::Cognito::IdentityPool',
  properties: {
    AllowClassicFlow: 'executed',
    AllowUnauthenticatedIdentities: 'executed',
    CognitoIdentityProviders: [{ ClientId: 'executed', ProviderName: 'executed', ServerSideTokenCheck: 'executed' }],
    IdentityPoolName: 'executed',
    IdentityPoolTags: 'declared',
  },
  async create(request) {
    type Answer = { IdentityPoolId: string; IdentityPoolName: string };
    const answer = await call<Answer>(request, 'CreateIdentityPool', poolInput(request));
    return { ref: answer.IdentityPoolId, attributes: { Id: answer.IdentityPoolId, Name: answer.IdentityPoolName } };
  },
  update: {
    properties: ['AllowClassicFlow', 'AllowUnauthenticatedIdentities', 'CognitoIdentityProviders'],
    async by(request, before) {
      await call(request, 'UpdateIdentityPool', { ...poolInput(request), IdentityPoolId: before.ref });
      return before;
    },
  },
  delete: (request, { ref: IdentityPoolId }) => call(request, 'DeleteIdentityPool', { IdentityPoolId }),
};

const roleAttachment: ResourceHandler = {
  type: 'AWS::Cognito::IdentityPoolRoleAttachment',
  properties: { IdentityPoolId: 'executed', RoleMappings: 'executed', Roles: 'executed' },
  async create(request) {
    const { IdentityPoolId, Roles, RoleMappings } = request.properties;
    // In templates a mapping may have any key, and name its provider inside.
    const mappings = Object.entries(optionalObject(RoleMappings) ?? {}).map(([key, value]) => {
      const { IdentityProvider, ...mapping } = optionalObject(value) ?? {};
      return [optionalText(IdentityProvider) ?? key, mapping];
    });
    const input = { IdentityPoolId, Roles: Roles ?? {}, RoleMappings: Object.fromEntries(mappings) };
    await call(request, 'SetIdentityPoolRoles', input);
    return { ref: String(IdentityPoolId), attributes: { Id: IdentityPoolId } };
  },
  update: { properties: ['RoleMappings', 'Roles'], by: 'create' },
  delete: (request, { ref: IdentityPoolId }) => call(request, 'SetIdentityPoolRoles', { IdentityPoolId, Roles: {} }),
};

/** What CloudFormation creates in identity pools. */
export const cognitoIdentityResources: readonly ResourceHandler[] = [identityPool, roleAttachment];
