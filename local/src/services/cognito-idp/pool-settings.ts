import { notEmulated } from '../../kernel/errors.ts';
import { invalidParameter } from './errors.ts';
import { type PasswordPolicy, readPasswordPolicy } from './password-policy.ts';
import type { PoolSettings, SchemaAttribute } from './user-pool.ts';

interface SchemaInput {
  readonly Name?: string;
  readonly AttributeDataType?: string;
  readonly DeveloperOnlyAttribute?: boolean;
  readonly Mutable?: boolean;
  readonly Required?: boolean;
  readonly StringAttributeConstraints?: { readonly MinLength?: string; readonly MaxLength?: string };
}

/** CreateUserPool and UpdateUserPool. */
export interface PoolInput {
  readonly PoolName?: string;
  readonly Policies?: { readonly PasswordPolicy?: Partial<PasswordPolicy>; readonly SignInPolicy?: unknown };
  readonly UsernameAttributes?: readonly string[];
  readonly AliasAttributes?: readonly string[];
  readonly AutoVerifiedAttributes?: readonly string[];
  readonly UserAttributeUpdateSettings?: { readonly AttributesRequireVerificationBeforeUpdate?: readonly string[] };
  readonly Schema?: readonly SchemaInput[];
  readonly AdminCreateUserConfig?: {
    readonly AllowAdminCreateUserOnly?: boolean;
    readonly UnusedAccountValidityDays?: number;
    readonly InviteMessageTemplate?: { readonly EmailSubject?: string; readonly EmailMessage?: string };
  };
  readonly UsernameConfiguration?: { readonly CaseSensitive?: boolean };
  readonly DeletionProtection?: 'ACTIVE' | 'INACTIVE';
  readonly EmailVerificationSubject?: string;
  readonly EmailVerificationMessage?: string;
  readonly VerificationMessageTemplate?: {
    readonly DefaultEmailOption?: string;
    readonly EmailSubject?: string;
    readonly EmailMessage?: string;
  };
  readonly MfaConfiguration?: string;
  readonly LambdaConfig?: object;
  readonly UserPoolTier?: 'LITE' | 'ESSENTIALS' | 'PLUS';
  readonly UserPoolTags?: Readonly<Record<string, string>>;
}

/**
 * `before`: what the pool has already. Authenticator apps are allowed by SetUserPoolMfaConfig, and stay allowed as long as
 * updates say OPTIONAL.
 *
 * @throws AwsError InvalidParameterException; NotEmulated for other second factors, triggers and confirmation by link
 */
export function readSettings(input: PoolInput, before?: PoolSettings): PoolSettings {
  refuse(input, before);
  const { UsernameAttributes: signIn = [], AliasAttributes: aliases = [], VerificationMessageTemplate: mail } = input;
  if (signIn.length > 0 && aliases.length > 0) {
    throw invalidParameter('Only one of the aliasAttributes or usernameAttributes can be set in a user pool.');
  }
  const { AllowAdminCreateUserOnly = false, InviteMessageTemplate: invitation } = input.AdminCreateUserConfig ?? {};
  const message = mail?.EmailMessage ?? input.EmailVerificationMessage ?? 'Your confirmation code is {####}';
  if (!message.includes('{####}')) throw invalidParameter('The verification message must contain {####}');
  return {
    passwordPolicy: readPasswordPolicy(input.Policies?.PasswordPolicy),
    usernameAttributes: signIn,
    aliasAttributes: aliases,
    autoVerifiedAttributes: input.AutoVerifiedAttributes ?? [],
    keepsOriginal: readKeepsOriginal(input),
    schema: (input.Schema ?? []).map(readAttribute),
    adminCreateUserOnly: AllowAdminCreateUserOnly,
    caseSensitive: input.UsernameConfiguration?.CaseSensitive ?? true,
    deletionProtection: input.DeletionProtection === 'ACTIVE',
    mfa: input.MfaConfiguration === 'OPTIONAL' ? 'OPTIONAL' : 'OFF',
    verificationSubject: mail?.EmailSubject ?? input.EmailVerificationSubject ?? 'Your verification code',
    verificationMessage: message,
    invitationSubject: invitation?.EmailSubject ?? 'Your temporary password',
    invitationMessage: invitation?.EmailMessage ?? 'Your username is {username} and temporary password is {####}.',
    tier: input.UserPoolTier ?? 'ESSENTIALS',
    tags: input.UserPoolTags ?? {},
  };
}

/** "You can only set ... for attributes in AutoVerifiedAttributes": who could verify the others? */
function readKeepsOriginal({ UserAttributeUpdateSettings, AutoVerifiedAttributes = [] }: PoolInput): readonly string[] {
  const kept = UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate ?? [];
  const other = kept.find((name) => !AutoVerifiedAttributes.includes(name));
  if (other === undefined) return kept;
  throw invalidParameter(
    `AttributesRequireVerificationBeforeUpdate has ${other}, which is not among the AutoVerifiedAttributes.`,
  );
}

function refuse(
  { MfaConfiguration = 'OFF', LambdaConfig, VerificationMessageTemplate, Policies }: PoolInput,
  before: PoolSettings | undefined,
): void {
  const without = (what: string) => notEmulated('cognito-idp', `user pools with ${what}`);
  if (MfaConfiguration !== 'OFF' && MfaConfiguration !== before?.mfa) {
    throw without(`MfaConfiguration ${MfaConfiguration}, other than OPTIONAL with EnabledMfas SOFTWARE_TOKEN_MFA`);
  }
  if (Object.keys(LambdaConfig ?? {}).length > 0) throw without('LambdaConfig (triggers)');
  if (VerificationMessageTemplate?.DefaultEmailOption === 'CONFIRM_WITH_LINK') throw without('CONFIRM_WITH_LINK');
  if (Policies?.SignInPolicy !== undefined) throw without('Policies.SignInPolicy');
}

const STANDARD_NAMES = new Set([
  ...['sub', 'address', 'birthdate', 'email', 'email_verified', 'family_name', 'gender', 'given_name', 'locale'],
  ...['middle_name', 'name', 'nickname', 'phone_number', 'phone_number_verified', 'picture', 'preferred_username'],
  ...['profile', 'updated_at', 'website', 'zoneinfo'],
]);

function readAttribute(given: SchemaInput): SchemaAttribute {
  const { Name = '', AttributeDataType = 'String', Mutable, Required = false } = given;
  if (given.DeveloperOnlyAttribute) throw notEmulated('cognito-idp', 'user pools with DeveloperOnlyAttribute');
  const isStandard = STANDARD_NAMES.has(Name);
  if (!isStandard && Required) throw invalidParameter('Required custom attributes are not supported currently.');
  const { MinLength, MaxLength } = given.StringAttributeConstraints ?? {};
  return {
    name: isStandard || Name.startsWith('custom:') ? Name : `custom:${Name}`,
    required: Required,
    // "Mutable … custom attributes … false" is what CloudFormation has when it is left out.
    mutable: Mutable ?? isStandard,
    type: AttributeDataType,
    minLength: MinLength === undefined ? undefined : Number(MinLength),
    maxLength: MaxLength === undefined ? undefined : Number(MaxLength),
  };
}
