/** Mobile push of Amazon SNS through the SDK; what would be pushed is in the outbox. */
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  CreateTopicCommand,
  DeleteEndpointCommand,
  GetEndpointAttributesCommand,
  GetPlatformApplicationAttributesCommand,
  GetSMSAttributesCommand,
  ListEndpointsByPlatformApplicationCommand,
  ListPlatformApplicationsCommand,
  PublishCommand,
  SetEndpointAttributesCommand,
  SetSMSAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { type Grant, roleConfig } from '../support/role-config.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let sns: SNSClient;
let application: string;

beforeAll(async () => {
  runtime = await startRuntime();
  sns = new SNSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  application = await createApplication('GCM');
});

async function createApplication(Platform: string): Promise<string> {
  const Attributes = { PlatformCredential: 'key' };
  const input = { Name: 'farm', Platform, Attributes };
  return (await sns.send(new CreatePlatformApplicationCommand(input))).PlatformApplicationArn ?? '';
}

async function createEndpoint(Token: string, CustomUserData?: string, PlatformApplicationArn = application) {
  const input = { PlatformApplicationArn, Token, CustomUserData };
  return (await sns.send(new CreatePlatformEndpointCommand(input))).EndpointArn ?? '';
}

const disable = (EndpointArn: string) =>
  sns.send(new SetEndpointAttributesCommand({ EndpointArn, Attributes: { Enabled: 'false' } }));

describe('a platform application', () => {
  it('is created once and shows no credentials', async () => {
    expect(application).toBe(`arn:aws:sns:us-east-1:${runtime.endpoints.accountId}:app/GCM/farm`);
    expect(await createApplication('GCM')).toBe(application);

    const input = { PlatformApplicationArn: application };
    const { Attributes } = await sns.send(new GetPlatformApplicationAttributesCommand(input));
    expect(Attributes).toEqual({ Enabled: 'true' });
    const { PlatformApplications } = await sns.send(new ListPlatformApplicationsCommand({}));
    expect(PlatformApplications).toEqual([{ PlatformApplicationArn: application, Attributes }]);
  });

  it.each([
    ['WNS', /push platform WNS/],
    ['PIGEON', /PIGEON is not supported/],
  ])('of %s is refused', async (platform, error) => {
    await expect(createApplication(platform)).rejects.toThrow(error);
  });
});

describe('an endpoint', () => {
  it('is one for the same token and attributes, and a conflict for others', async () => {
    const arn = await createEndpoint('token-1', 'anna');
    expect(arn).toMatch(/:endpoint\/GCM\/farm\/[0-9a-f-]{36}$/);
    expect(await createEndpoint('token-1', 'anna')).toBe(arn);

    const conflict = createEndpoint('token-1', 'berta');
    await expect(conflict).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message:
        `Invalid parameter: Token Reason: Endpoint ${arn} already exists ` +
        'with the same Token, but different attributes.',
    });
    await disable(arn);
    await expect(createEndpoint('token-1', 'anna')).rejects.toThrow(/different attributes/);
  });

  it('shows, changes and lists its attributes', async () => {
    const EndpointArn = await createEndpoint('token-1');
    const Attributes = { Token: 'token-2', CustomUserData: 'anna' };
    await sns.send(new SetEndpointAttributesCommand({ EndpointArn, Attributes }));

    const all = { ...Attributes, Enabled: 'true' };
    expect((await sns.send(new GetEndpointAttributesCommand({ EndpointArn }))).Attributes).toEqual(all);
    const input = { PlatformApplicationArn: application };
    const { Endpoints } = await sns.send(new ListEndpointsByPlatformApplicationCommand(input));
    expect(Endpoints).toEqual([{ EndpointArn, Attributes: all }]);

    await sns.send(new DeleteEndpointCommand({ EndpointArn }));
    await expect(sns.send(new GetEndpointAttributesCommand({ EndpointArn }))).rejects.toThrow(/does not exist/);
  });

  it.each([
    [{ Colour: 'blue' }, /Invalid attribute name: Colour/],
    [{ Enabled: 'perhaps' }, /Enabled: must be true or false/],
    [{ CustomUserData: 'x'.repeat(2049) }, /at most 2048 bytes/],
  ])('has no attributes such as %p', async (Attributes, error) => {
    const EndpointArn = await createEndpoint('token-1');
    await expect(sns.send(new SetEndpointAttributesCommand({ EndpointArn, Attributes }))).rejects.toThrow(error);
  });
});

describe('a push', () => {
  it('goes to the telephone in the words for its platform', async () => {
    const apple = await createEndpoint('apple-token', undefined, await createApplication('APNS_SANDBOX'));
    const android = await createEndpoint('android-token');
    const Message = JSON.stringify({ default: 'hail', APNS_SANDBOX: '{"aps":{"alert":"hail!"}}' });

    for (const TargetArn of [apple, android]) {
      await sns.send(new PublishCommand({ TargetArn, Message, MessageStructure: 'json' }));
    }

    const push = { channel: 'push', topic: null, subject: null };
    expect(await runtime.outbox()).toMatchObject([
      {
        ...push,
        id: 1,
        destination: apple,
        message: '{"aps":{"alert":"hail!"}}',
        details: { platform: 'APNS_SANDBOX', token: 'apple-token' },
      },
      { ...push, id: 2, destination: android, message: 'hail', details: { platform: 'GCM', token: 'android-token' } },
    ]);
    expect((await runtime.outbox(1)).map(({ id }) => id)).toEqual([2]);
  });

  it('comes through a topic too', async () => {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'weather' }));
    const [here, gone] = [await createEndpoint('here'), await createEndpoint('gone')];
    for (const Endpoint of [here, gone]) {
      await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'application', Endpoint }));
    }
    await disable(gone);

    await sns.send(new PublishCommand({ TopicArn, Message: 'hail' }));
    await runtime.advance(3600);

    expect(await runtime.outbox()).toMatchObject([{ destination: here, topic: TopicArn, message: 'hail' }]);
  });

  it('to a disabled endpoint is refused', async () => {
    const TargetArn = await createEndpoint('token-1');
    await disable(TargetArn);

    const refused = sns.send(new PublishCommand({ TargetArn, Message: 'hail' }));
    await expect(refused).rejects.toMatchObject({ name: 'EndpointDisabledException' });
    expect(await runtime.outbox()).toEqual([]);
  });

  it('is counted at its price', async () => {
    const TargetArn = await createEndpoint('token-1');
    await sns.send(new PublishCommand({ TargetArn, Message: 'hail' }));

    const answer = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter`);
    const { services } = (await answer.json()) as { services: readonly { readonly service: string }[] };
    const lines = services.filter(({ service }) => service === 'Amazon SNS');
    expect(lines).toMatchObject([
      { item: 'mobile push deliveries', quantity: 1, usd: 0.000_000_5 },
      { item: 'publishes', quantity: 1, usd: 0.000_000_5 },
    ]);
  });
});

describe('text messages', () => {
  it('go to numbers in E.164 form, with the settings of the account', async () => {
    const attributes = { DefaultSMSType: 'Transactional', DefaultSenderID: 'Farm' };
    await sns.send(new SetSMSAttributesCommand({ attributes }));
    expect((await sns.send(new GetSMSAttributesCommand({}))).attributes).toEqual(attributes);
    const one = new GetSMSAttributesCommand({ attributes: ['DefaultSenderID'] });
    expect((await sns.send(one)).attributes).toEqual({ DefaultSenderID: 'Farm' });

    await expect(sns.send(new PublishCommand({ PhoneNumber: 'anna', Message: 'hail' }))).rejects.toThrow(/not valid/);
    await sns.send(new PublishCommand({ PhoneNumber: '+491234567', Message: 'hail' }));
    expect(await runtime.outbox()).toMatchObject([{ channel: 'sms', destination: '+491234567' }]);
  });
});

describe('permissions', () => {
  it('are asked for the application or the endpoint, and for nothing else', async () => {
    const other = `${application}-other`;
    const TargetArn = await createEndpoint('token-1');
    const may = async (...grants: Grant[]) => new SNSClient(await roleConfig(runtime, ...grants));
    const create = new CreatePlatformEndpointCommand({ PlatformApplicationArn: application, Token: 'token-2' });
    const publish = new PublishCommand({ TargetArn, Message: 'hail' });
    const text = new PublishCommand({ PhoneNumber: '+491234567', Message: 'hail' });
    const attributes = new GetEndpointAttributesCommand({ EndpointArn: TargetArn });

    const creator = await may({ Action: 'sns:CreatePlatformEndpoint', Resource: application });
    await creator.send(create);
    await expect(creator.send(publish)).rejects.toThrow(/not authorized to perform: sns:Publish/i);
    await expect(creator.send(attributes)).rejects.toThrow(/sns:GetEndpointAttributes/i);
    const elsewhere = await may({ Action: 'sns:CreatePlatformEndpoint', Resource: other });
    await expect(elsewhere.send(create)).rejects.toThrow(/sns:CreatePlatformEndpoint on resource: .*app\/GCM\/farm/i);

    const publisher = await may({ Action: 'sns:Publish', Resource: TargetArn });
    await publisher.send(publish);
    await expect(publisher.send(text)).rejects.toThrow(/sns:Publish/i);
    await (await may({ Action: 'sns:Publish', Resource: '*' })).send(text);
  });
});
