import type { AnyOperation } from '../../../kernel/service.ts';
import { type ClientInput, readClientSettings } from '../client-settings.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, notFound, required } from '../errors.ts';
import { page } from '../page.ts';
import type { UserPool, UserPoolClient } from '../user-pool.ts';
import { newClientId, newClientSecret } from '../user-pools.ts';
import { poolOperation } from './pool-operation.ts';

type ServerInput = {
  readonly UserPoolId?: string;
  readonly Identifier?: string;
  readonly Name?: string;
  readonly Scopes?: readonly { readonly ScopeName?: string; readonly ScopeDescription?: string }[];
};

/** App clients and resource servers: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-client-apps.html */
export function clientOperations(cognito: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const { kernel } = cognito;
  return {
    ...poolOperation<ClientInput>(cognito, 'CreateUserPoolClient', ({ pool }, input) => {
      required(input.ClientName, 'ClientName');
      const client: UserPoolClient = {
        id: newClientId(),
        poolId: pool.id,
        secret: input.GenerateSecret ? newClientSecret() : undefined,
        settings: readClientSettings(pool, input),
        createdAt: kernel.clock.now(),
      };
      pool.clients.set(client.id, client);
      return { UserPoolClient: describe(client) };
    }),
    ...poolOperation<ClientInput>(cognito, 'UpdateUserPoolClient', ({ pool }, input) => {
      const client = { ...clientOf(pool, input.ClientId), settings: readClientSettings(pool, input) };
      pool.clients.set(client.id, client);
      return { UserPoolClient: describe(client) };
    }),
    ...poolOperation<ClientInput>(cognito, 'DescribeUserPoolClient', ({ pool }, { ClientId }) => ({
      UserPoolClient: describe(clientOf(pool, ClientId)),
    })),
    ...poolOperation<ClientInput>(cognito, 'DeleteUserPoolClient', ({ pool }, { ClientId }) => {
      pool.clients.delete(clientOf(pool, ClientId).id);
      return {};
    }),
    ...poolOperation<{ readonly UserPoolId?: string; readonly MaxResults?: number; readonly NextToken?: string }>(
      cognito,
      'ListUserPoolClients',
      ({ pool }, { MaxResults, NextToken }) => {
        const { items, next } = page([...pool.clients.values()], MaxResults, NextToken);
        const brief = items.map(({ id, settings }) => ({
          ClientId: id,
          UserPoolId: pool.id,
          ClientName: settings.name,
        }));
        return { UserPoolClients: brief, NextToken: next };
      },
    ),
    ...poolOperation<ServerInput>(cognito, 'CreateResourceServer', ({ pool }, input) => {
      const identifier = required(input.Identifier, 'Identifier');
      if (pool.resourceServers.has(identifier))
        throw invalidParameter(`${identifier} already exists in user pool ${pool.id}.`);
      return putServer(pool, input);
    }),
    ...poolOperation<ServerInput>(cognito, 'UpdateResourceServer', ({ pool }, input) => {
      requireServer(pool, input.Identifier);
      return putServer(pool, input);
    }),
    ...poolOperation<ServerInput>(cognito, 'DescribeResourceServer', ({ pool }, { Identifier }) => ({
      ResourceServer: describeServer(pool, requireServer(pool, Identifier)),
    })),
    ...poolOperation<ServerInput>(cognito, 'DeleteResourceServer', ({ pool }, { Identifier }) => {
      pool.resourceServers.delete(requireServer(pool, Identifier));
      return {};
    }),
  };
}

function clientOf(pool: UserPool, id: string | undefined): UserPoolClient {
  const client = pool.clients.get(required(id, 'ClientId'));
  if (!client) throw notFound(`User pool client ${id} does not exist.`);
  return client;
}

function describe({ id, poolId, secret, settings, createdAt }: UserPoolClient): object {
  return {
    UserPoolId: poolId,
    ClientId: id,
    ClientName: settings.name,
    ClientSecret: secret,
    ...settings.validity,
    ExplicitAuthFlows: settings.explicitAuthFlows,
    PreventUserExistenceErrors: settings.hidesUserExistence ? 'ENABLED' : 'LEGACY',
    EnableTokenRevocation: settings.tokenRevocation,
    ReadAttributes: settings.readAttributes,
    WriteAttributes: settings.writeAttributes,
    AllowedOAuthFlowsUserPoolClient: settings.oauthEnabled,
    AllowedOAuthFlows: settings.oauthFlows,
    AllowedOAuthScopes: settings.oauthScopes,
    CallbackURLs: settings.callbackUrls,
    LogoutURLs: settings.logoutUrls,
    DefaultRedirectURI: settings.defaultRedirectUri,
    SupportedIdentityProviders: settings.identityProviders,
    CreationDate: new Date(createdAt),
  };
}

function putServer(pool: UserPool, { Identifier = '', Name, Scopes = [] }: ServerInput): object {
  const scopes = Scopes.map(({ ScopeName, ScopeDescription = '' }) => ({
    name: required(ScopeName, 'ScopeName'),
    description: ScopeDescription,
  }));
  pool.resourceServers.set(Identifier, { identifier: Identifier, name: required(Name, 'Name'), scopes });
  return { ResourceServer: describeServer(pool, Identifier) };
}

function requireServer(pool: UserPool, identifier: string | undefined): string {
  if (identifier !== undefined && pool.resourceServers.has(identifier)) return identifier;
  throw notFound(`Resource server ${identifier} does not exist.`);
}

function describeServer(pool: UserPool, identifier: string): object {
  const server = pool.resourceServers.get(identifier);
  const Scopes = server?.scopes.map(({ name, description }) => ({ ScopeName: name, ScopeDescription: description }));
  return { UserPoolId: pool.id, Identifier: identifier, Name: server?.name, Scopes };
}
