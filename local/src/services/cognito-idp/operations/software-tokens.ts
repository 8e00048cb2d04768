import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, required } from '../errors.ts';
import {
  associateSoftwareToken,
  preferSoftwareToken,
  type SoftwareTokenPreference,
  verifySoftwareToken,
} from '../software-token.ts';
import { ownerOf } from '../tokens.ts';
import { poolOperation } from './pool-operation.ts';
import { publicOperation } from './public-operation.ts';

interface TokenInput {
  readonly AccessToken?: string;
  readonly Session?: string;
}

interface PreferenceInput {
  readonly SoftwareTokenMfaSettings?: SoftwareTokenPreference;
  readonly SMSMfaSettings?: SoftwareTokenPreference;
  readonly EmailMfaSettings?: SoftwareTokenPreference;
}

interface PoolMfaInput {
  readonly UserPoolId?: string;
  readonly MfaConfiguration?: string;
  readonly SoftwareTokenMfaConfiguration?: { readonly Enabled?: boolean };
  readonly SmsMfaConfiguration?: object;
  readonly EmailMfaConfiguration?: object;
  readonly WebAuthnConfiguration?: object;
}

/** Authenticator apps, for people: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html */
export function ownSoftwareTokenOperations({ kernel, pools }: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const ownerBy = (name: string, { AccessToken, Session }: TokenInput) => {
    // Only pools where every user needs a second factor give such a session.
    if (Session !== undefined) throw notEmulated('cognito-idp', `${name} with Session`);
    return ownerOf(pools, AccessToken);
  };
  return {
    AssociateSoftwareToken: publicOperation<TokenInput>((input) => {
      const owner = ownerBy('AssociateSoftwareToken', input);
      return { SecretCode: associateSoftwareToken(owner, owner.user) };
    }),
    VerifySoftwareToken: publicOperation<TokenInput & { readonly UserCode?: string }>((input) => {
      const owner = ownerBy('VerifySoftwareToken', input);
      verifySoftwareToken(owner, owner.user, required(input.UserCode, 'UserCode'), kernel.clock.now());
      return { Status: 'SUCCESS' };
    }),
    SetUserMFAPreference: publicOperation<TokenInput & PreferenceInput>((input) => {
      const owner = ownerOf(pools, input.AccessToken);
      const preference = preferenceOf(input);
      if (preference) preferSoftwareToken(owner, owner.user, preference, kernel.clock.now());
      return {};
    }),
  };
}

/** The same, for administrators. */
export function softwareTokenOperations(cognito: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  return {
    ...poolOperation<PreferenceInput & { readonly UserPoolId?: string; readonly Username?: string }>(
      cognito,
      'AdminSetUserMFAPreference',
      (members, input) => {
        const user = members.users.get(required(input.Username, 'Username'));
        const preference = preferenceOf(input);
        if (preference) preferSoftwareToken(members, user, preference, cognito.kernel.clock.now());
        return {};
      },
    ),
    ...poolOperation<PoolMfaInput>(cognito, 'SetUserPoolMfaConfig', ({ pool }, input) => {
      const mfa = poolMfaOf(input);
      pool.settings = { ...pool.settings, mfa };
      pool.modifiedAt = cognito.kernel.clock.now();
      return describeMfa(mfa);
    }),
    ...poolOperation<PoolMfaInput>(cognito, 'GetUserPoolMfaConfig', ({ pool }) => describeMfa(pool.settings.mfa)),
  };
}

function preferenceOf(input: PreferenceInput): SoftwareTokenPreference | undefined {
  for (const name of ['SMSMfaSettings', 'EmailMfaSettings'] as const) {
    if (input[name]?.Enabled) throw notEmulated('cognito-idp', name);
  }
  return input.SoftwareTokenMfaSettings;
}

function poolMfaOf(input: PoolMfaInput): 'OFF' | 'OPTIONAL' {
  const { MfaConfiguration = 'OFF', SoftwareTokenMfaConfiguration } = input;
  for (const name of ['SmsMfaConfiguration', 'EmailMfaConfiguration', 'WebAuthnConfiguration'] as const) {
    if (input[name]) throw notEmulated('cognito-idp', `user pools with ${name}`);
  }
  if (MfaConfiguration === 'OFF') return 'OFF';
  if (MfaConfiguration !== 'OPTIONAL')
    throw notEmulated('cognito-idp', `user pools with MfaConfiguration ${MfaConfiguration}`);
  if (!SoftwareTokenMfaConfiguration?.Enabled) {
    throw invalidParameter('Invalid MFA configuration given, can not enable MFA without a factor.');
  }
  return 'OPTIONAL';
}

function describeMfa(mfa: 'OFF' | 'OPTIONAL'): object {
  return { MfaConfiguration: mfa, ...(mfa === 'OPTIONAL' && { SoftwareTokenMfaConfiguration: { Enabled: true } }) };
}
