import { passRolePermission } from '../../../iam/pass-role.ts';
import { operation } from '../../../kernel/define.ts';
import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter, required } from '../errors.ts';
import type { Identity, IdentityPool, IdentityPools, RoleMapping, UserPoolProvider } from '../identity-pools.ts';

interface PoolInput {
  readonly IdentityPoolId?: string;
  readonly IdentityPoolName?: string;
  readonly AllowUnauthenticatedIdentities?: boolean;
  readonly AllowClassicFlow?: boolean;
  readonly CognitoIdentityProviders?: readonly UserPoolProvider[];
  readonly SupportedLoginProviders?: object;
  readonly OpenIdConnectProviderARNs?: readonly string[];
  readonly SamlProviderARNs?: readonly string[];
  readonly DeveloperProviderName?: string;
  readonly IdentityPoolTags?: Readonly<Record<string, string>>;
}

interface RolesInput {
  readonly IdentityPoolId?: string;
  readonly Roles?: Readonly<Record<string, string>>;
  readonly RoleMappings?: Readonly<Record<string, RoleMapping & { readonly RulesConfiguration?: object }>>;
}

const PROVIDER = /^cognito-idp\.[\w-]+\.amazonaws\.com\/[\w-]+_[A-Za-z0-9]+$/;

/** Identity pools: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_CreateIdentityPool.html */
export function identityPoolOperations(pools: IdentityPools): Readonly<Record<string, AnyOperation>> {
  const onPool = <Input extends { readonly IdentityPoolId?: string }>(
    name: string,
    run: (pool: IdentityPool, input: Input) => object,
  ) => ({
    [name]: operation<Input, object>({
      permissions: ({ IdentityPoolId }) => [pools.permission(name, IdentityPoolId)],
      run: (input) => run(pools.get(input.IdentityPoolId), input),
    }),
  });
  return {
    CreateIdentityPool: operation<PoolInput, object>({
      permissions: () => [{ action: 'cognito-identity:CreateIdentityPool', resource: '*' }],
      run(input) {
        const pool = { ...readPool(input), id: pools.newId(), roles: {}, roleMappings: {} };
        pools.put(pool);
        return describe(pool);
      },
    }),
    ListIdentityPools: operation<{ readonly MaxResults?: number }, object>({
      permissions: () => [{ action: 'cognito-identity:ListIdentityPools', resource: '*' }],
      run: ({ MaxResults }) => ({
        IdentityPools: pools.all
          .slice(0, required(MaxResults, 'MaxResults'))
          .map(({ id, name }) => ({ IdentityPoolId: id, IdentityPoolName: name })),
      }),
    }),
    ...onPool<PoolInput>('DescribeIdentityPool', describe),
    ...onPool<PoolInput>('UpdateIdentityPool', ({ id, roles, roleMappings }, input) => {
      const pool = { ...readPool(input), id, roles, roleMappings };
      pools.put(pool);
      return describe(pool);
    }),
    ...onPool<PoolInput>('DeleteIdentityPool', (pool) => {
      pools.delete(pool);
      return {};
    }),
    ...onPool<RolesInput>('GetIdentityPoolRoles', ({ id, roles, roleMappings }) => ({
      IdentityPoolId: id,
      Roles: roles,
      RoleMappings: roleMappings,
    })),
    SetIdentityPoolRoles: operation<RolesInput, object>({
      permissions: ({ IdentityPoolId, Roles }) => [
        pools.permission('SetIdentityPoolRoles', IdentityPoolId),
        ...Object.values(Roles ?? {}).map((arn) => passRolePermission(arn, 'cognito-identity.amazonaws.com')),
      ],
      run({ IdentityPoolId, Roles, RoleMappings = {} }) {
        const pool = pools.get(IdentityPoolId);
        const roles = required(Roles, 'Roles');
        const unknown = Object.keys(roles).find((key) => key !== 'authenticated' && key !== 'unauthenticated');
        if (unknown !== undefined)
          throw invalidParameter(`Roles has authenticated and unauthenticated, not ${unknown}`);
        pools.put({ ...pool, roles, roleMappings: readMappings(RoleMappings) });
        return {};
      },
    }),
    ...onPool<{ readonly IdentityPoolId?: string; readonly MaxResults?: number }>(
      'ListIdentities',
      ({ id }, { MaxResults }) => ({
        IdentityPoolId: id,
        Identities: pools.identitiesOf(id).slice(0, required(MaxResults, 'MaxResults')).map(describeIdentity),
      }),
    ),
    DescribeIdentity: operation<{ readonly IdentityId?: string }, object>({
      permissions: () => [{ action: 'cognito-identity:DescribeIdentity', resource: '*' }],
      run: ({ IdentityId }) => describeIdentity(pools.identity(IdentityId)),
    }),
    DeleteIdentities: operation<{ readonly IdentityIdsToDelete?: readonly string[] }, object>({
      permissions: () => [{ action: 'cognito-identity:DeleteIdentities', resource: '*' }],
      run({ IdentityIdsToDelete }) {
        for (const id of required(IdentityIdsToDelete, 'IdentityIdsToDelete')) pools.deleteIdentity(pools.identity(id));
        return { UnprocessedIdentityIds: [] };
      },
    }),
  };
}

function readPool(input: PoolInput): Pick<IdentityPool, 'name' | 'allowUnauthenticated' | 'providers' | 'tags'> {
  const without = (what: string) => notEmulated('cognito-identity', `identity pools with ${what}`);
  if (input.AllowClassicFlow) throw without('AllowClassicFlow');
  if (Object.keys(input.SupportedLoginProviders ?? {}).length > 0) throw without('SupportedLoginProviders');
  if (input.OpenIdConnectProviderARNs?.length) throw without('OpenIdConnectProviderARNs');
  if (input.SamlProviderARNs?.length) throw without('SamlProviderARNs');
  if (input.DeveloperProviderName !== undefined) throw without('DeveloperProviderName');
  const providers = input.CognitoIdentityProviders ?? [];
  for (const { ProviderName, ClientId } of providers) {
    required(ClientId, 'CognitoIdentityProviders.ClientId');
    if (!PROVIDER.test(required(ProviderName, 'CognitoIdentityProviders.ProviderName'))) {
      throw invalidParameter(`Invalid Cognito Identity Provider: ${ProviderName}`);
    }
  }
  return {
    name: required(input.IdentityPoolName, 'IdentityPoolName'),
    allowUnauthenticated: required(input.AllowUnauthenticatedIdentities, 'AllowUnauthenticatedIdentities'),
    providers,
    tags: input.IdentityPoolTags ?? {},
  };
}

function readMappings(given: NonNullable<RolesInput['RoleMappings']>): IdentityPool['roleMappings'] {
  for (const [provider, { Type, AmbiguousRoleResolution, RulesConfiguration }] of Object.entries(given)) {
    if (Type === 'Rules' || RulesConfiguration) throw notEmulated('cognito-identity', 'role mappings of type Rules');
    if (Type !== 'Token') throw invalidParameter(`RoleMappings.${provider}.Type is Token or Rules, not ${Type}`);
    if (AmbiguousRoleResolution !== 'AuthenticatedRole' && AmbiguousRoleResolution !== 'Deny') {
      throw invalidParameter(`RoleMappings.${provider}.AmbiguousRoleResolution is AuthenticatedRole or Deny`);
    }
  }
  return given;
}

function describe({ id, name, allowUnauthenticated, providers, tags }: IdentityPool): object {
  return {
    IdentityPoolId: id,
    IdentityPoolName: name,
    AllowUnauthenticatedIdentities: allowUnauthenticated,
    CognitoIdentityProviders: providers,
    IdentityPoolTags: tags,
  };
}

function describeIdentity({ id, logins, createdAt, modifiedAt }: Identity): object {
  return {
    IdentityId: id,
    Logins: Object.keys(logins),
    CreationDate: new Date(createdAt),
    LastModifiedDate: new Date(modifiedAt),
  };
}
