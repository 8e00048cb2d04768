import { STAFF_GROUPS } from '@thingstead/contracts/grants';
import { Aws, CfnOutput, type CfnResource, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AccountRecovery,
  CfnIdentityPool,
  CfnIdentityPoolRoleAttachment,
  CfnUserPoolGroup,
  FeaturePlan,
  Mfa,
  OAuthScope,
  UserPool,
  type UserPoolClient,
  UserPoolClientIdentityProvider,
  VerificationEmailStyle,
} from 'aws-cdk-lib/aws-cognito';
import { Effect, FederatedPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { allow } from './allow.ts';
import type { PlatformConfig, VoiceConfig } from './platform-config.ts';
import { STATE_EXPORTS } from './resource-names.ts';

/** The policy variable for the id of the identity that calls. */
const IDENTITY = `\${cognito-identity.amazonaws.com:sub}`;

/** Where keys and grants travel is none of an app's business: named shadows, files, firmware, commands. */
const NOT_FOR_APPS = [
  '$aws/things/*/shadow/name/*',
  'device/*/files/*/v1*',
  'device/*/firmware/*/v1*',
  'device/*/command/*/v1*',
];

/**
 * Client ids of whose connections no rule would be told, so that nobody could end them: `/` makes the life-cycle event's topic a level
 * longer, and for `#` and `+` there is none: https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html
 */
const UNSEEN_CLIENTS = ['*/*', '*#*', '*+*'];

/**
 * The people: a user pool with groups for staff, the client of the web and mobile apps, and an identity pool that makes AWS
 * credentials of a sign-in, for MQTT from the app. All of it is state: who loses an identity loses the policies on it.
 */
export class People extends Construct {
  readonly #config: PlatformConfig;

  constructor(scope: Construct, id: string, { config }: { readonly config: PlatformConfig }) {
    super(scope, id);
    this.#config = config;
    const pool = this.#userPool();
    const client = this.#appClient(pool);
    const identityPool = this.#identityPool(pool, client);
    this.#output('UserPoolId', pool.userPoolId, STATE_EXPORTS.userPoolId);
    this.#output('AppClientId', client.userPoolClientId, STATE_EXPORTS.appClientId);
    this.#output('IdentityPoolId', identityPool.ref, STATE_EXPORTS.identityPoolId);
    if (config.voice) this.#alexaClient(pool, config.voice);
  }

  #userPool(): UserPool {
    const pool = new UserPool(this, 'UserPool', {
      userPoolName: 'thingstead',
      featurePlan: FeaturePlan.ESSENTIALS,
      selfSignUpEnabled: true,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      autoVerify: { email: true },
      userVerification: { emailStyle: VerificationEmailStyle.CODE },
      keepOriginal: { email: true },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.OPTIONAL,
      // An authenticator app: text messages cost, and can be taken over with the number.
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    pin(pool, 'UserPool');
    for (const groupName of STAFF_GROUPS) {
      new CfnUserPoolGroup(this, `Group${groupName}`, { userPoolId: pool.userPoolId, groupName });
    }
    // The prefix is one of all accounts of a region.
    const domain = pool.addDomain('Domain', { cognitoDomain: { domainPrefix: `thingstead-${Aws.ACCOUNT_ID}` } });
    new CfnOutput(Stack.of(this), 'SignInUrl', { value: domain.baseUrl() });
    acknowledge(
      pool,
      'AwsSolutions-COG8',
      'Threat protection is a matter of the Plus plan, which costs several times as much for each person. Passwords are long, attempts are limited by Cognito, MFA is offered.',
    );
    acknowledge(
      pool,
      'AwsSolutions-COG2',
      'Whether people use a second factor is theirs to choose: a thermostat’s owner is no administrator. Staff can be told to.',
    );
    return pool;
  }

  /** The app has no secret, since it could not keep one. */
  #appClient(pool: UserPool): UserPoolClient {
    const { callbackUrls, logoutUrls } = this.#config.access;
    const client = pool.addClient('AppClient', {
      userPoolClientName: 'app',
      generateSecret: false,
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.EMAIL, OAuthScope.PROFILE, OAuthScope.COGNITO_ADMIN],
        callbackUrls,
        logoutUrls,
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.minutes(15),
      idTokenValidity: Duration.minutes(15),
      refreshTokenValidity: Duration.days(30),
    });
    client.applyRemovalPolicy(RemovalPolicy.RETAIN);
    pin(client, 'AppClient');
    return client;
  }

  /** Alexa links accounts with it. Its tokens are taken by the voice function alone; they stay good until a person unlinks. */
  #alexaClient(pool: UserPool, { redirectUrls }: VoiceConfig): void {
    const client = pool.addClient('AlexaClient', {
      userPoolClientName: 'alexa',
      generateSecret: true,
      // None but the code flow: otherwise Cognito allows SRP by itself.
      authFlows: { userSrp: false },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID],
        callbackUrls: redirectUrls,
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.days(3650),
    });
    pin(client, 'AlexaClient');
    this.#output('AlexaClientId', client.userPoolClientId, STATE_EXPORTS.alexaClientId);
  }

  #identityPool(pool: UserPool, client: UserPoolClient): CfnIdentityPool {
    const identityPool = new CfnIdentityPool(this, 'IdentityPool', {
      identityPoolName: 'thingstead',
      allowUnauthenticatedIdentities: false,
      cognitoIdentityProviders: [
        {
          clientId: client.userPoolClientId,
          providerName: pool.userPoolProviderName,
          // A session that was ended everywhere gets no more credentials.
          serverSideTokenCheck: true,
        },
      ],
    });
    identityPool.overrideLogicalId('IdentityPool');
    identityPool.applyRemovalPolicy(RemovalPolicy.RETAIN);
    const role = this.#personRole(identityPool.ref);
    new CfnIdentityPoolRoleAttachment(this, 'Roles', {
      identityPoolId: identityPool.ref,
      roles: { authenticated: role.roleArn },
    });
    return identityPool;
  }

  /**
   * What anybody who is signed in may do at most: the classic shadow and the sensors of things, as client ids of their own
   * identity. Which things, the person's IoT policy says: AWS IoT asks both. No action of the HTTPS data plane is in it, since
   * there the role alone decides. https://docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html
   */
  #personRole(identityPoolId: string): Role {
    const principal = new FederatedPrincipal(
      'cognito-identity.amazonaws.com',
      {
        StringEquals: { 'cognito-identity.amazonaws.com:aud': identityPoolId },
        'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
      },
      'sts:AssumeRoleWithWebIdentity',
    );
    const role = new Role(this, 'PersonRole', { assumedBy: principal });
    const arn = (resource: string, resourceName: string): string =>
      Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
    const heard = ['device/*/sensor/*/v1', '$aws/things/*/shadow/get/*', '$aws/things/*/shadow/update/*'];
    // The colon in an identity's id is in no thing's name: nobody takes a device's place.
    allow(role, 'iot:Connect', arn('client', `${IDENTITY}-*`));
    allow(role, 'iot:Publish', [arn('topic', '$aws/things/*/shadow/get'), arn('topic', '$aws/things/*/shadow/update')]);
    allow(
      role,
      'iot:Receive',
      heard.map((topic) => arn('topic', topic)),
    );
    allow(
      role,
      'iot:Subscribe',
      heard.map((topic) => arn('topicfilter', topic)),
    );
    // In a policy an asterisk also stands for slashes: `$aws/things/*/shadow/get` is also the request to a named shadow that is
    // called `shadow`, and `device/site-*/sensor/*` is also a file transfer that is called `sensor`.
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: ['iot:Publish', 'iot:Receive', 'iot:Subscribe'],
        resources: NOT_FOR_APPS.flatMap((topic) => [arn('topic', topic), arn('topicfilter', topic)]),
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: ['iot:Connect'],
        resources: UNSEEN_CLIENTS.map((clientId) => arn('client', clientId)),
      }),
    );
    for (const [kind, topics] of Object.entries({
      client: [`${IDENTITY}-*`, ...UNSEEN_CLIENTS],
      topic: ['$aws/things/*/shadow/get', '$aws/things/*/shadow/update', ...NOT_FOR_APPS, ...heard],
      topicfilter: [...NOT_FOR_APPS, ...heard],
    })) {
      for (const topic of topics) {
        acknowledge(
          role,
          `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${kind}/${topic.replace(IDENTITY, '<cognito-identity.amazonaws.com:sub>')}]`,
          'The role is one for all people. Which things are theirs, the IoT policy on their identity says; AWS IoT asks both.',
        );
      }
    }
    return role;
  }

  #output(id: string, value: string, exportName: string): void {
    new CfnOutput(Stack.of(this), id, { value, exportName });
  }
}

/** Keeps the logical id whatever becomes of the construct's path. */
function pin(construct: Construct, logicalId: string): void {
  // The default child of these constructs is the CloudFormation resource itself.
  (construct.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
