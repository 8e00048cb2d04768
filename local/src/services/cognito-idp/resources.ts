import { notEmulated } from '../../kernel/errors.ts';
import {
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalText,
  text,
} from '../../template/property-values.ts';
import type { ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

const SCHEMA = {
  AttributeDataType: 'executed',
  DeveloperOnlyAttribute: 'executed',
  Mutable: 'executed',
  Name: 'executed',
  NumberAttributeConstraints: 'declared',
  Required: 'executed',
  StringAttributeConstraints: { MaxLength: 'executed', MinLength: 'executed' },
} as const;

const PASSWORD_POLICY = {
  MinimumLength: 'executed',
  PasswordHistorySize: 'declared',
  RequireLowercase: 'executed',
  RequireNumbers: 'executed',
  RequireSymbols: 'executed',
  RequireUppercase: 'executed',
  TemporaryPasswordValidityDays: 'executed',
} as const;

async function call<Output>({ kernel, caller }: ResourceRequest, operation: string, input: object): Promise<Output> {
  return kernel.call<Output>('cognito-idp', operation, input, caller);
}

/** What CreateUserPool takes from a template; booleans and numbers may be text there. */
function poolInput(properties: ResourceRequest['properties']): object {
  const admin = optionalObject(properties.AdminCreateUserConfig);
  const policy = optionalObject(optionalObject(properties.Policies)?.PasswordPolicy);
  const username = optionalObject(properties.UsernameConfiguration);
  return {
    ...properties,
    // Authenticator apps are not among what these operations know: they are set on their own.
    MfaConfiguration: 'OFF',
    Policies: policy && {
      PasswordPolicy: {
        MinimumLength: optionalNumber(policy.MinimumLength),
        RequireLowercase: optionalBoolean(policy.RequireLowercase),
        RequireNumbers: optionalBoolean(policy.RequireNumbers),
        RequireSymbols: optionalBoolean(policy.RequireSymbols),
        RequireUppercase: optionalBoolean(policy.RequireUppercase),
        TemporaryPasswordValidityDays: optionalNumber(policy.TemporaryPasswordValidityDays),
      },
    },
    AdminCreateUserConfig: admin && {
      ...admin,
      AllowAdminCreateUserOnly: optionalBoolean(admin.AllowAdminCreateUserOnly),
    },
    UsernameConfiguration: username && { CaseSensitive: optionalBoolean(username.CaseSensitive) },
    Schema: optionalList(properties.Schema).map((each) => {
      const given = optionalObject(each) ?? {};
      return {
        ...given,
        DeveloperOnlyAttribute: optionalBoolean(given.DeveloperOnlyAttribute),
        Mutable: optionalBoolean(given.Mutable),
        Required: optionalBoolean(given.Required),
      };
    }),
  };
}

/** Authenticator apps; other factors are refused. */
async function setMfa(request: ResourceRequest, UserPoolId: string): Promise<void> {
  const { MfaConfiguration = 'OFF', EnabledMfas } = request.properties;
  const factors = optionalList(EnabledMfas).map(String);
  const other = factors.find((each) => each !== 'SOFTWARE_TOKEN_MFA');
  if (other !== undefined) throw notEmulated('cognito-idp', `user pools with EnabledMfas ${other}`);
  const SoftwareTokenMfaConfiguration = { Enabled: factors.length > 0 };
  await call(request, 'SetUserPoolMfaConfig', { UserPoolId, MfaConfiguration, SoftwareTokenMfaConfiguration });
}

const userPool: ResourceHandler = {
  type: 'AWS::Cognito::UserPool',
  properties: {
    AccountRecoverySetting: 'declared',
    AdminCreateUserConfig: {
      AllowAdminCreateUserOnly: 'executed',
      InviteMessageTemplate: { EmailMessage: 'executed', EmailSubject: 'executed', SMSMessage: 'declared' },
    },
    AliasAttributes: 'executed',
    AutoVerifiedAttributes: 'executed',
    DeletionProtection: 'executed',
    EmailConfiguration: 'declared',
    EmailVerificationMessage: 'executed',
    EmailVerificationSubject: 'executed',
    EnabledMfas: 'executed',
    MfaConfiguration: 'executed',
    Policies: { PasswordPolicy: PASSWORD_POLICY },
    Schema: [SCHEMA],
    SmsVerificationMessage: 'declared',
    UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: 'executed' },
    UserPoolName: 'executed',
    UserPoolTags: 'executed',
    UserPoolTier: 'executed',
    UsernameAttributes: 'executed',
    UsernameConfiguration: { CaseSensitive: 'executed' },
    VerificationMessageTemplate: {
      DefaultEmailOption: 'executed',
      EmailMessage: 'executed',
      EmailSubject: 'executed',
      SmsMessage: 'declared',
    },
  },
  async create(request) {
    const { properties, generatedName, kernel } = request;
    const PoolName = optionalText(properties.UserPoolName) ?? generatedName;
    const { UserPool } = await call<{ UserPool: { Id: string; Arn: string } }>(request, 'CreateUserPool', {
      ...poolInput(properties),
      PoolName,
    });
    await setMfa(request, UserPool.Id);
    const ProviderName = `cognito-idp.${kernel.region}.amazonaws.com/${UserPool.Id}`;
    return {
      ref: UserPool.Id,
      attributes: { Arn: UserPool.Arn, ProviderName, ProviderURL: `https://${ProviderName}`, UserPoolId: UserPool.Id },
    };
  },
  update: {
    properties: [
      'AdminCreateUserConfig',
      'AutoVerifiedAttributes',
      'DeletionProtection',
      'EmailVerificationMessage',
      'EmailVerificationSubject',
      'EnabledMfas',
      'MfaConfiguration',
      'Policies',
      'UserAttributeUpdateSettings',
      'UserPoolTags',
      'UserPoolTier',
      'VerificationMessageTemplate',
    ],
    async by(request, before) {
      await call(request, 'UpdateUserPool', { ...poolInput(request.properties), UserPoolId: before.ref });
      await setMfa(request, before.ref);
      return before;
    },
  },
  delete: (request, { ref: UserPoolId }) => call(request, 'DeleteUserPool', { UserPoolId }),
};

function clientInput({ properties, generatedName }: ResourceRequest): object {
  const numbers = ['AccessTokenValidity', 'AuthSessionValidity', 'IdTokenValidity', 'RefreshTokenValidity'] as const;
  const booleans = ['AllowedOAuthFlowsUserPoolClient', 'EnableTokenRevocation', 'GenerateSecret'] as const;
  return {
    ...properties,
    ...Object.fromEntries(numbers.map((name) => [name, optionalNumber(properties[name])])),
    ...Object.fromEntries(booleans.map((name) => [name, optionalBoolean(properties[name])])),
    ClientName: optionalText(properties.ClientName) ?? generatedName,
  };
}

const userPoolClient: ResourceHandler = {
  type: 'AWS::Cognito::UserPoolClient',
  properties: {
    AccessTokenValidity: 'executed',
    AllowedOAuthFlows: 'executed',
    AllowedOAuthFlowsUserPoolClient: 'executed',
    AllowedOAuthScopes: 'executed',
    AuthSessionValidity: 'executed',
    CallbackURLs: 'executed',
    ClientName: 'executed',
    DefaultRedirectURI: 'executed',
    EnablePropagateAdditionalUserContextData: 'declared',
    EnableTokenRevocation: 'executed',
    ExplicitAuthFlows: 'executed',
    GenerateSecret: 'executed',
    IdTokenValidity: 'executed',
    LogoutURLs: 'executed',
    PreventUserExistenceErrors: 'executed',
    ReadAttributes: 'executed',
    RefreshTokenValidity: 'executed',
    SupportedIdentityProviders: 'executed',
    TokenValidityUnits: { AccessToken: 'executed', IdToken: 'executed', RefreshToken: 'executed' },
    UserPoolId: 'executed',
    WriteAttributes: 'executed',
  },
  async create(request) {
    type Answer = { UserPoolClient: { ClientId: string; ClientName: string; ClientSecret?: string } };
    const { UserPoolClient } = await call<Answer>(request, 'CreateUserPoolClient', clientInput(request));
    const { ClientId, ClientName, ClientSecret } = UserPoolClient;
    return { ref: ClientId, attributes: { ClientId, Name: ClientName, ...(ClientSecret && { ClientSecret }) } };
  },
  update: {
    properties: [
      'AccessTokenValidity',
      'AllowedOAuthFlows',
      'AllowedOAuthFlowsUserPoolClient',
      'AllowedOAuthScopes',
      'AuthSessionValidity',
      'CallbackURLs',
      'DefaultRedirectURI',
      'EnableTokenRevocation',
      'ExplicitAuthFlows',
      'IdTokenValidity',
      'LogoutURLs',
      'PreventUserExistenceErrors',
      'ReadAttributes',
      'RefreshTokenValidity',
      'SupportedIdentityProviders',
      'TokenValidityUnits',
      'WriteAttributes',
    ],
    async by(request, before) {
      await call(request, 'UpdateUserPoolClient', { ...clientInput(request), ClientId: before.ref });
      return before;
    },
  },
  delete: (request, { ref: ClientId }) =>
    call(request, 'DeleteUserPoolClient', { UserPoolId: request.properties.UserPoolId, ClientId }),
};

const userPoolGroup: ResourceHandler = {
  type: 'AWS::Cognito::UserPoolGroup',
  properties: {
    Description: 'executed',
    GroupName: 'executed',
    Precedence: 'executed',
    RoleArn: 'executed',
    UserPoolId: 'executed',
  },
  async create(request) {
    const { properties, generatedName } = request;
    const GroupName = optionalText(properties.GroupName) ?? generatedName;
    const Precedence = optionalNumber(properties.Precedence);
    await call(request, 'CreateGroup', { ...properties, GroupName, Precedence });
    return { ref: GroupName, attributes: {} };
  },
  update: {
    properties: ['Description', 'Precedence', 'RoleArn'],
    async by(request, before) {
      const Precedence = optionalNumber(request.properties.Precedence);
      await call(request, 'UpdateGroup', { ...request.properties, GroupName: before.ref, Precedence });
      return before;
    },
  },
  delete: (request, { ref: GroupName }) =>
    call(request, 'DeleteGroup', { UserPoolId: request.properties.UserPoolId, GroupName }),
};

const userPoolDomain: ResourceHandler = {
  type: 'AWS::Cognito::UserPoolDomain',
  properties: { Domain: 'executed', ManagedLoginVersion: 'declared', UserPoolId: 'executed' },
  async create(request) {
    const { Domain, UserPoolId } = request.properties;
    await call(request, 'CreateUserPoolDomain', { Domain, UserPoolId });
    return { ref: text(Domain, 'Domain'), attributes: {} };
  },
  delete: (request, { ref: Domain }) =>
    call(request, 'DeleteUserPoolDomain', { UserPoolId: request.properties.UserPoolId, Domain }),
};

const userPoolResourceServer: ResourceHandler = {
  type: 'AWS::Cognito::UserPoolResourceServer',
  properties: {
    Identifier: 'executed',
    Name: 'executed',
    Scopes: [{ ScopeDescription: 'executed', ScopeName: 'executed' }],
    UserPoolId: 'executed',
  },
  async create(request) {
    await call(request, 'CreateResourceServer', request.properties);
    return { ref: text(request.properties.Identifier, 'Identifier'), attributes: {} };
  },
  update: {
    properties: ['Name', 'Scopes'],
    async by(request, before) {
      await call(request, 'UpdateResourceServer', request.properties);
      return before;
    },
  },
  delete: (request, { ref: Identifier }) =>
    call(request, 'DeleteResourceServer', { UserPoolId: request.properties.UserPoolId, Identifier }),
};

/** What CloudFormation creates in user pools. */
export const cognitoIdpResources: readonly ResourceHandler[] = [
  userPool,
  userPoolClient,
  userPoolDomain,
  userPoolGroup,
  userPoolResourceServer,
];
