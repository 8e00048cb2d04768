import { notEmulated } from '../../kernel/errors.ts';
import { invalidParameter } from './errors.ts';
import type { ClientSettings, UserPool } from './user-pool.ts';

/** CreateUserPoolClient and UpdateUserPoolClient. */
export interface ClientInput {
  readonly UserPoolId?: string;
  readonly ClientId?: string;
  readonly ClientName?: string;
  readonly GenerateSecret?: boolean;
  readonly ExplicitAuthFlows?: readonly string[];
  readonly AccessTokenValidity?: number;
  readonly IdTokenValidity?: number;
  readonly RefreshTokenValidity?: number;
  readonly AuthSessionValidity?: number;
  readonly TokenValidityUnits?: {
    readonly AccessToken?: string;
    readonly IdToken?: string;
    readonly RefreshToken?: string;
  };
  readonly PreventUserExistenceErrors?: 'ENABLED' | 'LEGACY';
  readonly EnableTokenRevocation?: boolean;
  readonly ReadAttributes?: readonly string[];
  readonly WriteAttributes?: readonly string[];
  readonly AllowedOAuthFlowsUserPoolClient?: boolean;
  readonly AllowedOAuthFlows?: readonly string[];
  readonly AllowedOAuthScopes?: readonly string[];
  readonly CallbackURLs?: readonly string[];
  readonly LogoutURLs?: readonly string[];
  readonly DefaultRedirectURI?: string;
  readonly SupportedIdentityProviders?: readonly string[];
}

const SECONDS: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };
const FLOWS = new Set([
  'ALLOW_USER_SRP_AUTH',
  'ALLOW_USER_PASSWORD_AUTH',
  'ALLOW_REFRESH_TOKEN_AUTH',
  'ALLOW_ADMIN_USER_PASSWORD_AUTH',
]);
const SCOPES = ['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'];
/** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html */
const DAY = 86_400;
const LIMITS = { access: [300, DAY], id: [300, DAY], refresh: [3600, 3650 * DAY] } as const;

/** @throws AwsError InvalidParameterException; NotEmulated for custom challenges, other grants, other providers */
export function readClientSettings(pool: UserPool, input: ClientInput): ClientSettings {
  const units = input.TokenValidityUnits ?? {};
  const scopes = input.AllowedOAuthScopes ?? [];
  const flows = input.AllowedOAuthFlows ?? [];
  refuse(pool, input);
  return {
    name: input.ClientName ?? '',
    explicitAuthFlows: input.ExplicitAuthFlows ?? [],
    accessTokenSeconds: seconds('access', input.AccessTokenValidity, units.AccessToken ?? 'hours', 3600),
    idTokenSeconds: seconds('id', input.IdTokenValidity, units.IdToken ?? 'hours', 3600),
    refreshTokenSeconds: seconds('refresh', input.RefreshTokenValidity, units.RefreshToken ?? 'days', 30 * DAY),
    authSessionSeconds: (input.AuthSessionValidity ?? 3) * 60,
    validity: {
      AccessTokenValidity: input.AccessTokenValidity,
      IdTokenValidity: input.IdTokenValidity,
      RefreshTokenValidity: input.RefreshTokenValidity ?? 30,
      TokenValidityUnits: input.TokenValidityUnits,
    },
    hidesUserExistence: input.PreventUserExistenceErrors === 'ENABLED',
    tokenRevocation: input.EnableTokenRevocation ?? true,
    readAttributes: input.ReadAttributes?.length ? input.ReadAttributes : undefined,
    writeAttributes: input.WriteAttributes?.length ? input.WriteAttributes : undefined,
    oauthEnabled: input.AllowedOAuthFlowsUserPoolClient ?? false,
    oauthFlows: flows,
    oauthScopes: scopes,
    callbackUrls: input.CallbackURLs ?? [],
    logoutUrls: input.LogoutURLs ?? [],
    defaultRedirectUri: input.DefaultRedirectURI,
    identityProviders: input.SupportedIdentityProviders ?? [],
  };
}

function refuse(pool: UserPool, input: ClientInput): void {
  const without = (what: string) => notEmulated('cognito-idp', `user pool clients with ${what}`);
  const flow = input.ExplicitAuthFlows?.find((each) => !FLOWS.has(each));
  // CDK writes this one by default; nobody can use it without triggers.
  if (flow !== undefined && flow !== 'ALLOW_CUSTOM_AUTH') throw without(`ExplicitAuthFlows ${flow}`);
  const provider = input.SupportedIdentityProviders?.find((each) => each !== 'COGNITO');
  if (provider !== undefined) throw without(`SupportedIdentityProviders ${provider}`);
  const grants = input.AllowedOAuthFlows ?? [];
  const grant = grants.find((each) => each !== 'code');
  if (grant !== undefined) throw without(`AllowedOAuthFlows ${grant}`);
  if (grants.includes('code') && !input.CallbackURLs?.length)
    throw invalidParameter('CallbackURLs can not be empty for the code flow');
  const own = [...pool.resourceServers.values()].flatMap(({ identifier, scopes }) =>
    scopes.map(({ name }) => `${identifier}/${name}`),
  );
  const unknown = input.AllowedOAuthScopes?.find((each) => !SCOPES.includes(each) && !own.includes(each));
  if (unknown !== undefined) throw invalidParameter(`Invalid scope requested: ${unknown}`);
  const unsafe = [...(input.CallbackURLs ?? []), ...(input.LogoutURLs ?? [])].find((each) => !isSafe(each));
  if (unsafe !== undefined)
    throw invalidParameter(`${unsafe}: a URL is https, http only for localhost, and has no fragment`);
}

/** "HTTPS over HTTP except for http://localhost"; app schemes too. AWS says the same of 127.0.0.1. */
function isSafe(text: string): boolean {
  try {
    const { protocol, hostname, hash } = new URL(text);
    return hash === '' && (protocol !== 'http:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
  } catch {
    return false;
  }
}

function seconds(token: keyof typeof LIMITS, value: number | undefined, unit: string, standard: number): number {
  if (value === undefined || value === 0) return standard;
  const result = value * (SECONDS[unit] ?? Number.NaN);
  const [least, most] = LIMITS[token];
  if (result >= least && result <= most) return result;
  throw invalidParameter(`The ${token} token lives ${least} to ${most} seconds, not ${value} ${unit}`);
}
