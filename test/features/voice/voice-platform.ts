/** A platform with an Alexa skill, people whose accounts are linked, and lamps of theirs with real certificates. */
import { randomUUID } from 'node:crypto';
import {
  CognitoIdentityProviderClient,
  DescribeUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { type GrantTarget, grantKey, type Role, type StaffGroup, targetKey } from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { activate } from '../../../bench/support/fleet.ts';
import { readAnswer } from '../../support/alexa-message.ts';
import { synthesize, withEditedTemplate } from '../../support/assembly.ts';
import { Browser } from '../../support/browser.ts';
import { createCa, createKeys, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { OAuthApp } from '../../support/cognito.ts';
import { newPerson, PASSWORD } from '../../support/person.ts';
import { type DeviceClient, type Platform, startPlatformWith } from '../../support/platform.ts';
import type { Runtime } from '../../support/runtime.ts';
import { untilItPasses } from '../../support/until-it-passes.ts';
import { describingDevice } from '../onboarding/describing-device.ts';
import { Amazon, CLIENT_ID, CLIENT_SECRET } from './amazon.ts';

const REDIRECT_URL = 'https://pitangui.amazon.com/api/skill/link/M1';
const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:alexa-AbCdEf';
/** Stands for the address of the test's Amazon, which is known later. */
const AMAZON = 'http://127.0.0.1:1';
const CONTEXT = {
  'thingstead:voice': {
    skillId: 'amzn1.ask.skill.0a1b2c3d-0000-4000-8000-000000000001',
    redirectUrls: [REDIRECT_URL],
    clientId: CLIENT_ID,
    clientSecretArn: SECRET_ARN,
    lwaTokenUrl: `${AMAZON}/token`,
    eventGatewayUrl: `${AMAZON}/events`,
  },
};
const PATIENCE_SECONDS = 20;
const RETRY_MS = 20;

export type VoicePlatform = Awaited<ReturnType<typeof startVoice>>;
export type Speaker = Awaited<ReturnType<VoicePlatform['newSpeaker']>>;
export type Lamp = Awaited<ReturnType<VoicePlatform['newLamp']>>;

export const LAMP = {
  model: 'lamp',
  hardwareRevision: 'A',
  serial: 'L-1',
  firmwareVersion: '1.0.0',
  sensors: [],
  capabilities: ['power', 'brightness'],
} as const;

export async function startVoice() {
  const amazon = new Amazon();
  const address = await amazon.start();
  const platform: Platform = await startPlatformWith(withAmazon(synthesize(CONTEXT), address)).catch(async (error) => {
    await amazon.stop();
    throw error;
  });
  const config = platform.config as Runtime['config'];
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const lambda = new LambdaClient(config);
  const iot = new IoTDataPlaneClient(config);
  const ca = await createCa('Lamps');
  const keys = await createKeys();
  const open: DeviceClient[] = [];

  /** What the function answers; Alexa would take it. */
  async function invokeVoice(directive: object): Promise<ReturnType<typeof readAnswer>> {
    const Payload = Buffer.from(JSON.stringify({ directive }));
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'thingstead-voice', Payload }));
    const text = Buffer.from(answer.Payload ?? []).toString('utf8');
    if (answer.FunctionError !== undefined) throw new Error(text);
    return readAnswer(JSON.parse(text));
  }

  async function alexaClient(): Promise<OAuthApp> {
    const users = new CognitoIdentityProviderClient(config);
    const UserPoolId = platform.output('UserPoolId');
    const clientId = platform.output('AlexaClientId');
    const { UserPoolClient } = await users.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId: clientId }));
    const domain = new URL(platform.output('SignInUrl')).host;
    return new OAuthApp(`${config.endpoint}/${domain}`, {
      clientId,
      secret: UserPoolClient?.ClientSecret ?? '',
      redirectUri: REDIRECT_URL,
    });
  }

  /** A person in the Alexa app: signs in on Cognito's page, and Alexa gets a code and, with its secret, tokens for it. */
  async function linkAccount(email: string): Promise<string> {
    const app = await alexaClient();
    const noPkce = { scope: 'openid', code_challenge: undefined, code_challenge_method: undefined };
    const browser = new Browser();
    const page = await browser.visit(app.address(noPkce));
    const { location = '' } = await browser.submit(page, { username: email, password: PASSWORD });
    const code = new URL(location).searchParams.get('code') ?? '';
    const { status, body } = await app.redeem(code, { code_verifier: undefined });
    if (status !== 200) throw new Error(`the code was answered ${status}: ${JSON.stringify(body)}`);
    return String(body.access_token);
  }

  return {
    ...platform,
    amazon,

    async stop(): Promise<void> {
      for (const client of open.splice(0)) await client.endAsync(true);
      await platform.stop();
      await amazon.stop();
    },

    /** Waits until it passes, and everything that is under way has ended each time before. */
    until: <T>(check: () => Promise<T> | T): Promise<T> =>
      untilItPasses(
        async () => {
          await platform.idle();
          return check();
        },
        PATIENCE_SECONDS,
        RETRY_MS,
      ),

    /** What pairing and sharing come to. */
    async grant(person: string, target: GrantTarget, role: Role): Promise<void> {
      const at = Date.now();
      const row = { person, target: targetKey(target), role, visibleFrom: at, grantedBy: person, grantedAt: at };
      await tables.send(
        new PutCommand({ TableName: TABLE_NAMES.access, Item: { ...grantKey(person, target), ...row } }),
      );
    },

    async revoke(person: string, target: GrantTarget): Promise<void> {
      await tables.send(new DeleteCommand({ TableName: TABLE_NAMES.access, Key: grantKey(person, target) }));
    },

    /** Everything in the voice table, as text. */
    async tokensAtRest(): Promise<string> {
      const { Items = [] } = await tables.send(new ScanCommand({ TableName: TABLE_NAMES.voice }));
      return Items.map((item) =>
        Object.values(item)
          .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))
          .join(' '),
      ).join('\n');
    },

    /** Somebody asks for a change, over REST or otherwise; or a device reports one, when its connection is of no interest. */
    async updateShadow(
      thingName: string,
      state: { readonly desired?: object; readonly reported?: object },
    ): Promise<void> {
      const payload = Buffer.from(JSON.stringify({ state }));
      await iot.send(new UpdateThingShadowCommand({ thingName, payload }));
    },

    /** Someone who has linked their account in the Alexa app; with `events`, Alexa has also sent its grant. */
    async newSpeaker({ events = true, groups = [] }: { events?: boolean; groups?: readonly StaffGroup[] } = {}) {
      const { person, email, tokens, call } = await newPerson(platform, { groups });
      const token = await linkAccount(email);
      const header = (name: string) => {
        const [, namespace = '', operation = ''] = /^(.*)\.(\w+)$/.exec(name) ?? [];
        return { namespace, name: operation, payloadVersion: '3', messageId: randomUUID() };
      };
      const scope = (bearer = token) => ({ type: 'BearerToken', token: bearer });
      const acceptGrant = (code = amazon.newCode(person)) =>
        invokeVoice({
          header: header('Alexa.Authorization.AcceptGrant'),
          payload: { grant: { type: 'OAuth2.AuthorizationCode', code }, grantee: scope() },
        });
      async function endpoints(): Promise<readonly { readonly endpointId: string }[]> {
        const found = await invokeVoice({ header: header('Alexa.Discovery.Discover'), payload: { scope: scope() } });
        return found.event.payload.endpoints;
      }
      if (events) await acceptGrant();
      return {
        ...{ person, email, token, call, appTokens: tokens },
        acceptGrant,
        /** What Alexa finds. */
        endpoints,
        /** The ids of what Alexa finds. */
        discover: async (): Promise<readonly string[]> => (await endpoints()).map(({ endpointId }) => endpointId),
        /** A directive to a thing. */
        say: (thing: string, name: string, payload: object = {}, bearer = token) =>
          invokeVoice({
            header: { ...header(name), correlationToken: 'correlation' },
            endpoint: { scope: scope(bearer), endpointId: thing, cookie: {} },
            payload,
          }),
      };
    },

    /** A lamp that is connected, has described itself and has reported its state. It does as its shadow's delta says. */
    async newLamp(
      thing: string,
      { obeys = true, description = LAMP as object, reported = { power: false, brightness: 40 } } = {},
    ) {
      const device: DeviceCertificate = await issue(ca, thing, { keys });
      await activate({ ca, devices: [device] }, { config });
      const { client, describe } = await describingDevice(platform, device);
      open.push(client);
      const shadow = `$aws/things/${thing}/shadow/update`;
      const report = (members: object) => client.tryPublish(shadow, JSON.stringify({ state: { reported: members } }));
      await describe(description);
      await client.trySubscribe(`${shadow}/delta`);
      client.on('message', (topic, payload) => {
        if (obeys && topic === `${shadow}/delta`) void report(JSON.parse(payload.toString()).state);
      });
      await report({ connected: true, ...reported });
      await untilItPasses(
        async () => {
          await platform.idle();
          expect(await platform.thingRow(thing)).toMatchObject({ presence: { connected: true } });
        },
        PATIENCE_SECONDS,
        RETRY_MS,
      );
      return {
        ...{ thing, device, client, report },
        /** Does as a delta says, over another connection of the device. */
        answer: (over: DeviceClient, delta: Buffer) =>
          over.tryPublish(shadow, JSON.stringify({ state: { reported: JSON.parse(delta.toString()).state } })),
      };
    },
  };
}

/** The assembly with the address of this test's Amazon, and with the secret in it. */
function withAmazon(assembly: string, address: string): string {
  return withEditedTemplate(assembly, 'ThingsteadPlatform', (template) => {
    const text = JSON.stringify(template.Resources)
      .replaceAll(AMAZON, address)
      .replaceAll(`"${SECRET_ARN}"`, '{"Ref":"SkillSecret"}');
    Object.assign(template.Resources, JSON.parse(text), {
      SkillSecret: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: CLIENT_SECRET } },
    });
  });
}
