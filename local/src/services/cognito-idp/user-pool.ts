/** What a user pool is made of. Users and sessions are never changed, but replaced: so their records are cheap to keep. */
import type { Password } from './password.ts';
import type { PasswordPolicy } from './password-policy.ts';

export interface SchemaAttribute {
  /** `email`, or `custom:site`. */
  readonly name: string;
  readonly required: boolean;
  readonly mutable: boolean;
  readonly type: string;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
}

export interface PoolSettings {
  readonly passwordPolicy: PasswordPolicy;
  /** Attributes that people sign in with instead of a user name: `email`, `phone_number`. */
  readonly usernameAttributes: readonly string[];
  /** Attributes that people may sign in with as well, once verified. */
  readonly aliasAttributes: readonly string[];
  readonly autoVerifiedAttributes: readonly string[];
  /** Addresses that stay what they are until the new one is verified. */
  readonly keepsOriginal?: readonly string[];
  readonly schema: readonly SchemaAttribute[];
  readonly adminCreateUserOnly: boolean;
  readonly caseSensitive: boolean;
  readonly deletionProtection: boolean;
  /** OPTIONAL: who has verified an authenticator app may be asked for its code. */
  readonly mfa: 'OFF' | 'OPTIONAL';
  readonly verificationSubject: string;
  readonly verificationMessage: string;
  readonly invitationSubject: string;
  readonly invitationMessage: string;
  readonly tier: 'LITE' | 'ESSENTIALS' | 'PLUS';
  readonly tags: Readonly<Record<string, string>>;
}

export interface ClientSettings {
  readonly name: string;
  readonly explicitAuthFlows: readonly string[];
  /** Seconds. */
  readonly accessTokenSeconds: number;
  readonly idTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  readonly authSessionSeconds: number;
  readonly validity: Readonly<Record<string, unknown>>;
  readonly hidesUserExistence: boolean;
  readonly tokenRevocation: boolean;
  readonly readAttributes: readonly string[] | undefined;
  readonly writeAttributes: readonly string[] | undefined;
  readonly oauthEnabled: boolean;
  readonly oauthFlows: readonly string[];
  readonly oauthScopes: readonly string[];
  readonly callbackUrls: readonly string[];
  readonly logoutUrls: readonly string[];
  readonly defaultRedirectUri: string | undefined;
  readonly identityProviders: readonly string[];
}

export interface UserPoolClient {
  readonly id: string;
  readonly poolId: string;
  /** Undefined for a public client. */
  readonly secret: string | undefined;
  readonly settings: ClientSettings;
  readonly createdAt: number;
}

export interface Group {
  readonly name: string;
  readonly description: string | undefined;
  /** The lower, the more it counts for `cognito:preferred_role`. */
  readonly precedence: number | undefined;
  readonly roleArn: string | undefined;
  readonly createdAt: number;
}

export interface ResourceServer {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
}

export type UserStatus = 'UNCONFIRMED' | 'CONFIRMED' | 'FORCE_CHANGE_PASSWORD' | 'RESET_REQUIRED';

/** A code that was sent to a person. */
export interface Code {
  /** `attribute/email`: to verify that attribute. */
  readonly purpose: 'sign-up' | 'password' | `attribute/${string}`;
  readonly value: string;
  readonly expiresAt: number;
  readonly failures: number;
}

/** An authenticator app (TOTP) of a user. */
export interface SoftwareToken {
  /** Base32. */
  readonly secret: string;
  /** Whether the user has shown that the app has it. */
  readonly verified: boolean;
  readonly enabled: boolean;
  readonly preferred: boolean;
  /** The step of time of the last code that was taken: none is good twice. */
  readonly lastStep: number;
}

export interface User {
  readonly sub: string;
  /** The `sub` where people sign in with an attribute. */
  readonly username: string;
  /** Without `sub`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** New addresses that have not been verified yet, where the pool keeps the old ones until then. */
  readonly pending?: Readonly<Record<string, string>> | undefined;
  readonly enabled: boolean;
  readonly status: UserStatus;
  readonly password: Password | undefined;
  /** Until when a temporary password is good, epoch milliseconds. */
  readonly temporaryUntil: number | undefined;
  readonly groups: readonly string[];
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly code: Code | undefined;
  readonly softwareToken?: SoftwareToken;
  /** Wrong passwords and codes in a row, and until when none is tried, epoch milliseconds. */
  readonly failures: { readonly count: number; readonly lockedUntil: number };
  /** The last month in which the user was active, `2026-11`: what AWS charges for. */
  readonly activeMonth: string | undefined;
}

/** What a sign-in began and refresh tokens continue. */
export interface Session {
  /** The `origin_jti` of its tokens. */
  readonly id: string;
  readonly sub: string;
  readonly clientId: string;
  /** Epoch seconds. */
  readonly authTime: number;
  /** When the refresh token ends, epoch milliseconds. */
  readonly expiresAt: number;
  readonly refreshTokenHash: string;
  readonly scopes: readonly string[];
  /** 2 for sessions of the hosted pages: their access tokens say so. */
  readonly version?: 2;
  readonly revoked: boolean;
}

export interface SigningKey {
  readonly kid: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
}

export interface UserPool {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  modifiedAt: number;
  settings: PoolSettings;
  readonly signingKey: SigningKey;
  readonly clients: Map<string, UserPoolClient>;
  readonly groups: Map<string, Group>;
  readonly resourceServers: Map<string, ResourceServer>;
  /** The prefix of the hosted pages; undefined: there are none. */
  domain: string | undefined;
}
