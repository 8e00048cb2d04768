import { operation } from '../../../kernel/define.ts';
import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, required } from '../errors.ts';
import { page } from '../page.ts';
import { type PoolInput, readSettings } from '../pool-settings.ts';
import type { UserPool } from '../user-pool.ts';
import type { Members } from '../user-pools.ts';
import { poolOperation } from './pool-operation.ts';

type IdInput = { readonly UserPoolId?: string };

/** User pools: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html */
export function userPoolOperations(cognito: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const { pools, kernel } = cognito;
  return {
    CreateUserPool: operation<PoolInput, object>({
      permissions: ({ UserPoolTags }) => [
        {
          action: 'cognito-idp:CreateUserPool',
          resource: '*',
          context: { 'aws:TagKeys': Object.keys(UserPoolTags ?? {}) },
        },
      ],
      async run(input) {
        const name = required(input.PoolName, 'PoolName');
        if (!/^[\w\s+=,.@-]{1,128}$/.test(name)) throw invalidParameter(`PoolName is ${name}`);
        return { UserPool: describe(pools.get((await pools.create(name, readSettings(input))).id)) };
      },
    }),
    ListUserPools: operation<{ readonly MaxResults?: number; readonly NextToken?: string }, object>({
      permissions: () => [{ action: 'cognito-idp:ListUserPools', resource: '*' }],
      run({ MaxResults, NextToken }) {
        const { items, next } = page(pools.all, required(MaxResults, 'MaxResults'), NextToken);
        return { UserPools: items.map(({ pool }) => briefly(pool)), NextToken: next };
      },
    }),
    ...poolOperation<IdInput>(cognito, 'DescribeUserPool', (members) => ({ UserPool: describe(members) })),
    ...poolOperation<PoolInput & IdInput>(cognito, 'UpdateUserPool', ({ pool }, input) => {
      // "If you don't provide a value for an attribute, Amazon Cognito sets it to its default value."
      const { schema, usernameAttributes, aliasAttributes, caseSensitive } = pool.settings;
      pool.settings = {
        ...readSettings(input, pool.settings),
        schema,
        usernameAttributes,
        aliasAttributes,
        caseSensitive,
      };
      pool.modifiedAt = kernel.clock.now();
      return {};
    }),
    ...poolOperation<IdInput>(cognito, 'DeleteUserPool', ({ pool }) => {
      if (pool.settings.deletionProtection) {
        throw invalidParameter('The user pool cannot be deleted because deletion protection is activated.');
      }
      if (pool.domain !== undefined) {
        throw invalidParameter('User pool cannot be deleted. It has a domain configured that should be deleted first.');
      }
      pools.delete(pool.id);
      return {};
    }),
    ...poolOperation<IdInput & { readonly Domain?: string; readonly CustomDomainConfig?: unknown }>(
      cognito,
      'CreateUserPoolDomain',
      ({ pool }, { Domain, CustomDomainConfig }) => {
        const domain = required(Domain, 'Domain');
        if (CustomDomainConfig) throw notEmulated('cognito-idp', 'CreateUserPoolDomain with CustomDomainConfig');
        if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(domain)) throw invalidParameter(`Invalid domain: ${domain}`);
        if (pool.domain !== undefined) throw invalidParameter('The user pool already has a domain');
        pools.requireFreeDomain(domain);
        pool.domain = domain;
        return {};
      },
    ),
    ...poolOperation<IdInput & { readonly Domain?: string }>(
      cognito,
      'DeleteUserPoolDomain',
      ({ pool }, { Domain }) => {
        if (pool.domain !== Domain) throw invalidParameter('No such domain or user pool exists.');
        pool.domain = undefined;
        return {};
      },
    ),
    DescribeUserPoolDomain: operation<{ readonly Domain?: string }, object>({
      permissions: () => [{ action: 'cognito-idp:DescribeUserPoolDomain', resource: '*' }],
      run({ Domain }) {
        const found = pools.all.find(({ pool }) => pool.domain === required(Domain, 'Domain'))?.pool;
        const known = found && { UserPoolId: found.id, Domain, Status: 'ACTIVE', AWSAccountId: kernel.accountId };
        return { DomainDescription: known ?? {} };
      },
    }),
  };
}

function briefly({ id, name, createdAt, modifiedAt }: UserPool) {
  return { Id: id, Name: name, CreationDate: new Date(createdAt), LastModifiedDate: new Date(modifiedAt) };
}

function describe({ pool, users }: Members): object {
  const { settings } = pool;
  return {
    ...briefly(pool),
    Arn: pool.arn,
    Policies: { PasswordPolicy: settings.passwordPolicy },
    SchemaAttributes: settings.schema.map((each) => ({
      Name: each.name,
      AttributeDataType: each.type,
      Mutable: each.mutable,
      Required: each.required,
    })),
    AutoVerifiedAttributes: settings.autoVerifiedAttributes,
    UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: settings.keepsOriginal ?? [] },
    AliasAttributes: settings.aliasAttributes.length > 0 ? settings.aliasAttributes : undefined,
    UsernameAttributes: settings.usernameAttributes.length > 0 ? settings.usernameAttributes : undefined,
    UsernameConfiguration: { CaseSensitive: settings.caseSensitive },
    AdminCreateUserConfig: { AllowAdminCreateUserOnly: settings.adminCreateUserOnly },
    DeletionProtection: settings.deletionProtection ? 'ACTIVE' : 'INACTIVE',
    MfaConfiguration: settings.mfa,
    EstimatedNumberOfUsers: users.all.length,
    Domain: pool.domain,
    UserPoolTier: settings.tier,
    UserPoolTags: settings.tags,
  };
}
