/**
 * A person with an app: signs up and in at the user pool as a page does, calls the REST API with the tokens, and connects to
 * MQTT over WebSocket with the credentials of the identity pool.
 */
import { randomBytes } from 'node:crypto';
import {
  CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
} from '@aws-sdk/client-cognito-identity';
import {
  AdminAddUserToGroupCommand,
  AdminConfirmSignUpCommand,
  AdminUpdateUserAttributesCommand,
  type AuthenticationResultType,
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { DescribeEndpointCommand, IoTClient } from '@aws-sdk/client-iot';
import { createClient } from '@thingstead/client';
import type { StaffGroup } from '@thingstead/contracts/grants';
import type { IConnectPacket } from 'mqtt-packet';
import { beginSrp, type SrpChallenge } from '../../client/src/people/srp.ts';
import { connectOverWebSocket, type WebSocketClient } from './mqtt-websocket.ts';
import type { Platform } from './platform.ts';
import type { OutboxEntry } from './runtime.ts';
import type { SigningCredentials } from './websocket-url.ts';

/** Of every person of the tests. */
export const PASSWORD = 'Correct-Horse-Battery-1';

export interface Tokens {
  readonly access: string;
  readonly id: string;
  readonly refresh: string;
}

/** What the API has answered, unread. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; as text when it is none; undefined without one. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly body: any;
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Another access token than the person's; null sends none. */
  readonly token?: string | null;
}

interface ConnectOptions {
  readonly clientId?: string;
  readonly version?: 4 | 5;
  readonly connect?: Partial<IConnectPacket>;
}

/** The platform as far as people need it. */
type Deployed = Pick<Platform, 'config' | 'output'>;
export type Person = Awaited<ReturnType<typeof newPerson>>;

export interface NewPerson {
  readonly groups?: readonly StaffGroup[];
  /** A new one unless it is given. */
  readonly email?: string;
}

/**
 * Someone who has signed up, has confirmed their address, is in these groups and has signed in by SRP. Gives
 * - `person` (the `sub`), `email`, `tokens()` and `refresh()` (access tokens live for 15 minutes of virtual time);
 * - `api`, the typed client: `api.listThings({ query })`, which refreshes a token that is not taken any more;
 * - `call(method, path, body?, options?)`: one request as it stands, whatever its answer, without another try;
 * - `identityId()`, `credentials()` of the identity pool and `connect(tab, options?)`, MQTT over WebSocket as the client id
 *   `<identity id>-<tab>`. The person's IoT policy is there once the app has called `identify()` (PUT /me/identity) and
 *   `platform.idle()` has let the functions run.
 */
export async function newPerson(platform: Deployed, { groups = [], email = newEmail() }: NewPerson = {}) {
  const { config, output } = platform;
  const users = new CognitoIdentityProviderClient(config);
  const identities = new CognitoIdentityClient(config);
  const pool = { UserPoolId: output('UserPoolId'), ClientId: output('AppClientId') };
  const logins = (idToken: string) => ({
    [`cognito-idp.${config.region}.amazonaws.com/${pool.UserPoolId}`]: idToken,
  });

  const person = await signUp(platform, users, pool, email);
  for (const GroupName of groups) {
    const { UserPoolId } = pool;
    await users.send(new AdminAddUserToGroupCommand({ UserPoolId, Username: person, GroupName }));
  }
  let tokens = await signIn(users, pool, email);
  let identity: Promise<string> | undefined;

  async function identityId(): Promise<string> {
    const command = new GetIdCommand({ IdentityPoolId: output('IdentityPoolId'), Logins: logins(tokens.id) });
    identity ??= identities.send(command).then(({ IdentityId = '' }) => IdentityId);
    return identity;
  }

  async function credentials(): Promise<SigningCredentials> {
    const IdentityId = await identityId();
    const { Credentials } = await identities.send(
      new GetCredentialsForIdentityCommand({ IdentityId, Logins: logins(tokens.id) }),
    );
    return {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
  }

  async function call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<RawAnswer> {
    const { headers, token = tokens.access } = options;
    const response = await fetch(`${output('ApiUrl').replace(/\/$/, '')}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: readBody(await response.text()) };
  }

  async function refresh(): Promise<Tokens> {
    const AuthParameters = { REFRESH_TOKEN: tokens.refresh };
    const { ClientId } = pool;
    const { AuthenticationResult } = await users.send(
      new InitiateAuthCommand({ AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId, AuthParameters }),
    );
    tokens = tokensOf(AuthenticationResult, tokens.refresh);
    return tokens;
  }

  const api = createClient({
    baseUrl: output('ApiUrl'),
    token: async (rejected) => (rejected === tokens.access ? (await refresh()).access : tokens.access),
  });

  return {
    person,
    email,
    api,
    tokens: (): Tokens => tokens,
    /** Signs in again with the refresh token: for a test that has let time pass, or a change of groups. */
    refresh,
    call,
    identityId,
    credentials,
    /** Has the platform make my things reachable over MQTT. @throws Error when it refuses. */
    async identify(): Promise<string> {
      const { status, body } = await call('PUT', '/me/identity', { idToken: tokens.id });
      if (status !== 200) throw new Error(`PUT /me/identity answered ${status}: ${JSON.stringify(body)}`);
      return body.identityId;
    },
    /** Rejects with WebSocketRefused. Each connection has credentials of its own. */
    async connect(tab = 'tab1', options: ConnectOptions = {}): Promise<WebSocketClient> {
      return connectOverWebSocket({
        endpoint: config.endpoint ?? (await dataEndpoint(config)),
        region: config.region,
        credentials: await credentials(),
        clientId: `${await identityId()}-${tab}`,
        ...options,
      });
    },
  };
}

function newEmail(): string {
  return `person-${randomBytes(6).toString('hex')}@example.com`;
}

interface Pool {
  readonly UserPoolId: string;
  readonly ClientId: string;
}

/** Gives the person's `sub`. */
async function signUp(
  { config }: Deployed,
  users: CognitoIdentityProviderClient,
  { UserPoolId, ClientId }: Pool,
  email: string,
): Promise<string> {
  const { UserSub = '' } = await users.send(
    new SignUpCommand({
      ...{ ClientId, Username: email, Password: PASSWORD },
      UserAttributes: [{ Name: 'email', Value: email }],
    }),
  );
  if (config.endpoint === undefined) {
    // Nobody reads that mail: an administrator vouches for the address.
    await users.send(new AdminConfirmSignUpCommand({ UserPoolId, Username: email }));
    const UserAttributes = [{ Name: 'email_verified', Value: 'true' }];
    await users.send(new AdminUpdateUserAttributesCommand({ UserPoolId, Username: email, UserAttributes }));
  } else {
    const ConfirmationCode = await codeFrom(config.endpoint, email);
    await users.send(new ConfirmSignUpCommand({ ClientId, Username: email, ConfirmationCode }));
  }
  return UserSub;
}

/** The code of the last mail to this address. */
async function codeFrom(endpoint: string, email: string): Promise<string> {
  const response = await fetch(`${endpoint}/_local/outbox`);
  const { entries } = (await response.json()) as { entries: readonly OutboxEntry[] };
  const mail = entries.findLast(({ destination }) => destination === email);
  if (mail?.details.code === undefined) throw new Error(`no mail with a code has gone to ${email}`);
  return mail.details.code;
}

async function signIn(users: CognitoIdentityProviderClient, { UserPoolId, ClientId }: Pool, email: string) {
  const srp = beginSrp(UserPoolId);
  const { ChallengeName, ChallengeParameters } = await users.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_SRP_AUTH',
      ClientId,
      AuthParameters: { USERNAME: email, SRP_A: srp.publicKey },
    }),
  );
  const ChallengeResponses = await srp.answer(ChallengeParameters as unknown as SrpChallenge, PASSWORD, new Date());
  const { AuthenticationResult } = await users.send(
    new RespondToAuthChallengeCommand({ ClientId, ChallengeName, ChallengeResponses }),
  );
  return tokensOf(AuthenticationResult);
}

function tokensOf(result: AuthenticationResultType | undefined, before = ''): Tokens {
  if (!result?.AccessToken || !result.IdToken) throw new Error('the sign-in gave no tokens');
  return { access: result.AccessToken, id: result.IdToken, refresh: result.RefreshToken ?? before };
}

async function dataEndpoint(config: Deployed['config']): Promise<string> {
  const { endpointAddress } = await new IoTClient(config).send(
    new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }),
  );
  return `https://${endpointAddress}`;
}

function readBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
