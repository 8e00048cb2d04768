/** The HTTP action of rules and its destinations, through the SDK, against an HTTPS server on this machine. */
import {
  ConfirmTopicRuleDestinationCommand,
  CreateTopicRuleCommand,
  CreateTopicRuleDestinationCommand,
  DeleteTopicRuleDestinationCommand,
  GetTopicRuleCommand,
  GetTopicRuleDestinationCommand,
  type HttpAction,
  IoTClient,
  ListTopicRuleDestinationsCommand,
  type TopicRuleDestinationStatus,
  UpdateTopicRuleDestinationCommand,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.ts';
import { createRole, roleConfig } from '../support/role-config.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

let runtime: Runtime;
let iot: IoTClient;
let data: IoTDataPlaneClient;
let sqs: SQSClient;
let receiver: HttpReceiver;
let QueueUrl: string | undefined;
let queueRole: string;

beforeAll(async () => {
  runtime = await startRuntime();
  iot = new IoTClient({ ...runtime.config, maxAttempts: 1 });
  data = new IoTDataPlaneClient(runtime.config);
  sqs = new SQSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  receiver = await startHttpReceiver(runtime.endpoints);
  ({ QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'failures' })));
  queueRole = await createRole(runtime, [{ Action: 'sqs:SendMessage', Resource: '*' }], 'iot.amazonaws.com');
});
afterEach(() => receiver.close());

async function rule(http: Partial<HttpAction>, sql = "SELECT egg FROM 'farm/+'"): Promise<void> {
  const topicRulePayload = {
    sql,
    awsIotSqlVersion: '2016-03-23',
    actions: [{ http: { url: `${receiver.url}/eggs`, confirmationUrl: receiver.url, ...http } }],
    errorAction: { sqs: { queueUrl: QueueUrl, roleArn: queueRole } },
  };
  await iot.send(new CreateTopicRuleCommand({ ruleName: 'post', topicRulePayload }));
  await runtime.advance(0);
}

/** Confirms with the link of the last challenge, and forgets the requests so far. */
async function confirm(): Promise<void> {
  const { enableUrl } = JSON.parse(receiver.received.at(-1)?.body ?? '{}');
  expect((await fetch(enableUrl)).status).toBe(200);
  receiver.received.length = 0;
}

async function publish(payload: object = { egg: 1, hen: 'berta' }, topic = 'farm/hens'): Promise<void> {
  await data.send(new PublishCommand({ topic, payload: Buffer.from(JSON.stringify(payload)) }));
  await runtime.advance(10);
}

async function failures() {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body }) => JSON.parse(Body ?? '').failures[0]);
}

async function create(confirmationUrl = receiver.url): Promise<string> {
  const destinationConfiguration = { httpUrlConfiguration: { confirmationUrl } };
  const created = await iot.send(new CreateTopicRuleDestinationCommand({ destinationConfiguration }));
  await runtime.advance(0);
  return created.topicRuleDestination?.arn ?? '';
}
const get = async (arn: string) => (await iot.send(new GetTopicRuleDestinationCommand({ arn }))).topicRuleDestination;
const setStatus = (arn: string, status: TopicRuleDestinationStatus) =>
  iot.send(new UpdateTopicRuleDestinationCommand({ arn, status }));

describe('a destination', () => {
  it('is asked for confirmation and enabled with the link', async () => {
    const arn = await create();

    expect(arn).toMatch(/^arn:aws:iot:us-east-1:\d{12}:ruledestination\/http\/[0-9a-f-]{36}$/);
    expect(await get(arn)).toMatchObject({
      status: 'IN_PROGRESS',
      httpUrlProperties: { confirmationUrl: receiver.url },
    });
    const [request] = receiver.received;
    const body = JSON.parse(request?.body ?? '');
    expect(request).toMatchObject({
      method: 'POST',
      url: `/?confirmationToken=${body.confirmationToken}`,
      headers: {
        'content-type': 'application/json',
        'x-amz-rules-engine-message-type': 'DestinationConfirmation',
        'x-amz-rules-engine-destination-arn': arn,
      },
    });
    expect(body).toMatchObject({ arn, messageType: 'DestinationConfirmation' });
    expect((await fetch(`${new URL(body.enableUrl).origin}/confirmdestination/wrong`)).status).toBe(400);

    await confirm();
    expect(await get(arn)).toMatchObject({ status: 'ENABLED' });
    const { destinationSummaries } = await iot.send(new ListTopicRuleDestinationsCommand({}));
    expect(destinationSummaries).toMatchObject([
      { arn, status: 'ENABLED', httpUrlSummary: { confirmationUrl: receiver.url } },
    ]);
  });

  it('is confirmed through the API, switched off and on, and deleted', async () => {
    const arn = await create();
    await expect(setStatus(arn, 'ENABLED')).rejects.toThrow(/IN_PROGRESS cannot be set to ENABLED/);
    const { confirmationToken } = JSON.parse(receiver.received[0]?.body ?? '');
    await iot.send(new ConfirmTopicRuleDestinationCommand({ confirmationToken }));

    await setStatus(arn, 'DISABLED');
    expect(await get(arn)).toMatchObject({ status: 'DISABLED' });
    await setStatus(arn, 'ENABLED');
    expect(await get(arn)).toMatchObject({ status: 'ENABLED' });
    await iot.send(new DeleteTopicRuleDestinationCommand({ arn }));
    await expect(get(arn)).rejects.toMatchObject({ name: 'UnauthorizedException' });
  });

  it('that is not confirmed ends in error, until it is asked again', async () => {
    const arn = await create();
    await runtime.advance(86_400);
    expect(await get(arn)).toMatchObject({ status: 'ERROR', statusReason: 'The confirmation timed out' });

    await setStatus(arn, 'IN_PROGRESS');
    await runtime.advance(0);
    expect(receiver.received).toHaveLength(2);
    await confirm();
    expect(await get(arn)).toMatchObject({ status: 'ENABLED' });
  });

  it('has an https address, and is no other kind of destination', async () => {
    await expect(create('http://127.0.0.1/')).rejects.toThrow(/https:\/\//);
    const vpcConfiguration = { subnetIds: ['s'], vpcId: 'v', roleArn: queueRole };
    const input = { destinationConfiguration: { vpcConfiguration } };
    await expect(iot.send(new CreateTopicRuleDestinationCommand(input))).rejects.toThrow(/with vpcConfiguration/);
  });

  it('needs the permission on its ARN', async () => {
    const arn = await create();
    const may = new IoTClient(await roleConfig(runtime, { Action: 'iot:GetTopicRuleDestination', Resource: arn }));
    await may.send(new GetTopicRuleDestinationCommand({ arn }));
    const other = new GetTopicRuleDestinationCommand({ arn: await create(`${receiver.url}/other`) });
    await expect(may.send(other)).rejects.toThrow(/not authorized to perform: iot:GetTopicRuleDestination/);
    await expect(may.send(new DeleteTopicRuleDestinationCommand({ arn }))).rejects.toThrow(/iot:Delete/);
  });
});

describe('the HTTP action', () => {
  it('posts what SELECT has made, with its headers', async () => {
    await rule({ url: `${receiver.url}/eggs/\${topic(2)}`, headers: [{ key: 'x-hen', value: `hen \${hen}` }] });
    await confirm();

    await publish();

    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        url: '/eggs/hens',
        body: '{"egg":1}',
        headers: { 'content-type': 'application/json', 'x-hen': 'hen berta' },
      },
    ]);
    expect(await failures()).toEqual([]);
  });

  it('to a destination that nobody has confirmed fails into the error action', async () => {
    await rule({});
    expect(receiver.received).toHaveLength(1);

    await publish();

    expect(receiver.received).toHaveLength(1);
    expect(await failures()).toMatchObject([
      {
        failedAction: 'HttpAction',
        failedResource: `${receiver.url}/eggs`,
        errorMessage: expect.stringMatching(/no enabled topic rule destination/),
      },
    ]);
  });

  it('posts only below the confirmation URL', async () => {
    await create(`${receiver.url}/a`);
    await confirm();
    await rule({ confirmationUrl: `${receiver.url}/a`, url: `${receiver.url}/b` });
    await publish();
    expect(receiver.received).toEqual([]);
    expect(await failures()).toMatchObject([{ errorMessage: expect.stringMatching(/is no prefix of/) }]);
  });

  it.each([
    [503, 3],
    [429, 3],
    [404, 1],
  ])('is answered with %i after %i attempts', async (status, attempts) => {
    await rule({});
    await confirm();
    receiver.answerWith(() => status);

    await publish();

    expect(receiver.received).toHaveLength(attempts);
    expect(await failures()).toMatchObject([{ errorMessage: expect.stringMatching(`answered ${status}`) }]);
  });

  describe('in batches', () => {
    const send = (egg: unknown, topic = 'farm/hens') =>
      data.send(new PublishCommand({ topic, payload: Buffer.from(JSON.stringify({ egg })) }));
    const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));

    it('posts an array when it is full, or when its time is over', async () => {
      await rule({ enableBatching: true, batchConfig: { maxBatchSize: 2, maxBatchOpenMs: 200 } });
      await confirm();
      for (const egg of [1, 2, 3]) await send(egg);
      await runtime.advance(1);

      expect(bodies()).toEqual([[{ egg: 1 }, { egg: 2 }], [{ egg: 3 }]]);
      const answer = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter`);
      const { services } = (await answer.json()) as { services: { item: string; quantity: number }[] };
      expect(services.find(({ item }) => item === 'rule actions')?.quantity).toBe(2);
    });

    it.each([
      [false, [[{ egg: 1 }], [{ egg: 2 }]]],
      [true, [[{ egg: 1 }, { egg: 2 }]]],
    ])('with batchAcrossTopics %s', async (batchAcrossTopics, expected) => {
      await rule({ enableBatching: true, batchConfig: { batchAcrossTopics, maxBatchOpenMs: 200 } });
      await confirm();
      await Promise.all([send(1, 'farm/hens'), send(2, 'farm/ducks')]);
      await runtime.advance(1);
      expect(bodies().toSorted((a, b) => a[0].egg - b[0].egg)).toEqual(expected);
    });

    it('keeps to the limit of bytes', async () => {
      await rule({ enableBatching: true, batchConfig: { maxBatchSizeBytes: 100, maxBatchOpenMs: 200 } });
      await confirm();
      for (const egg of ['a', 'b', 'c']) await send(egg.repeat(40));
      await runtime.advance(1);
      expect(receiver.received.every(({ body }) => body.length <= 100)).toBe(true);
      expect(bodies().flat()).toHaveLength(3);
    });

    it('fails each message of a batch into the error action', async () => {
      await rule({ enableBatching: true, batchConfig: { maxBatchSize: 2, maxBatchOpenMs: 200 } });
      await confirm();
      receiver.answerWith(() => 404);
      await Promise.all([send(1), send(2)]);
      await runtime.advance(1);
      expect(await failures()).toHaveLength(2);
    });
  });

  it('signs with the session of its role, which whoever creates the rule has to pass', async () => {
    const roleArn = await createRole(runtime, [], 'iot.amazonaws.com');
    const auth = { sigv4: { signingRegion: 'eu-west-1', serviceName: 'execute-api', roleArn } };
    await rule({ auth });
    await confirm();
    await publish();

    const [request] = receiver.received;
    expect(request?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=ASIA\w+\/\d{8}\/eu-west-1\/execute-api\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
    expect(request?.headers['x-amz-security-token']).toBeTruthy();

    const Resource = `arn:aws:iot:us-east-1:${runtime.endpoints.accountId}:rule/*`;
    const may = new IoTClient(await roleConfig(runtime, { Action: 'iot:CreateTopicRule', Resource }));
    const topicRulePayload = {
      sql: "SELECT * FROM 'a'",
      awsIotSqlVersion: '2016-03-23',
      actions: [{ http: { url: `${receiver.url}/eggs`, auth } }],
    };
    const create = may.send(new CreateTopicRuleCommand({ ruleName: 'signed', topicRulePayload }));
    await expect(create).rejects.toThrow(/iam:PassRole/);
  });

  it.each([
    [{ url: 'http://127.0.0.1/' }, /begin with https/],
    [{ enableBatching: true, batchConfig: { maxBatchSize: 11 } }, /maxBatchSize is 11; it has to be 2 to 10/],
    [{ batchConfig: { maxBatchSize: 2 } }, /needs http.enableBatching/],
  ])('is refused with %j', async (http, error) => {
    await expect(rule(http)).rejects.toThrow(error);
  });
});

it('a template has destinations and rules that post to them', async () => {
  const ConfirmationUrl = 'https://localhost:1';
  const Http = { Url: `${ConfirmationUrl}/eggs`, ConfirmationUrl, Headers: [{ Key: 'x-hen', Value: 'berta' }] };
  const deployed = await new Assembly()
    .add('Destination', 'AWS::IoT::TopicRuleDestination', { HttpUrlProperties: { ConfirmationUrl } })
    .add(
      'Rule',
      'AWS::IoT::TopicRule',
      {
        RuleName: 'post',
        TopicRulePayload: { Sql: "SELECT * FROM 'a'", AwsIotSqlVersion: '2016-03-23', Actions: [{ Http }] },
      },
      ['Destination'],
    )
    .start();
  try {
    const client = new IoTClient(deployed.config);
    const { destinationSummaries } = await client.send(new ListTopicRuleDestinationsCommand({}));
    expect(destinationSummaries).toMatchObject([
      { status: 'IN_PROGRESS', httpUrlSummary: { confirmationUrl: ConfirmationUrl } },
    ]);
    const { rule: post } = await client.send(new GetTopicRuleCommand({ ruleName: 'post' }));
    expect(post?.actions).toMatchObject([{ http: { url: Http.Url, headers: [{ key: 'x-hen', value: 'berta' }] } }]);
  } finally {
    await deployed.stop();
  }
});
