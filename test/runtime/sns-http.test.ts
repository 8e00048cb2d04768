/** SNS to HTTP and HTTPS endpoints: confirmation, signature, retries, dead-letter queue, links. */
import { createVerify, X509Certificate } from 'node:crypto';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  type PublishCommandInput,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type HttpReceiver, type ReceivedRequest, startHttpReceiver } from '../support/http-receiver.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

type Document = Readonly<Record<string, string>>;

let runtime: Runtime;
let sns: SNSClient;
let receiver: HttpReceiver;
let TopicArn: string;

beforeAll(async () => {
  runtime = await startRuntime();
  sns = new SNSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  receiver = await startHttpReceiver();
  ({ TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'news' })));
});
afterEach(() => receiver.close());

const documentOf = (request: ReceivedRequest | undefined): Document => JSON.parse(request?.body ?? '{}');

/** Subscribes the receiver, and confirms with the link that it gets. Gives the ARN. */
async function subscribe(Attributes: Record<string, string> = {}, to = receiver): Promise<string> {
  const Protocol = new URL(to.url).protocol.slice(0, -1);
  const input = { TopicArn, Protocol, Endpoint: `${to.url}/hook`, Attributes, ReturnSubscriptionArn: true };
  const { SubscriptionArn = '' } = await sns.send(new SubscribeCommand(input));
  await runtime.advance(0);
  const { SubscribeURL = '' } = documentOf(to.received[0]);
  expect((await fetch(SubscribeURL)).status).toBe(200);
  to.received.length = 0;
  return SubscriptionArn;
}

async function publish(more: Partial<PublishCommandInput> = {}): Promise<string | undefined> {
  const { MessageId } = await sns.send(new PublishCommand({ TopicArn, Message: 'eggs', ...more }));
  await runtime.advance(0);
  return MessageId;
}

/** The algorithm of https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
async function verifies(document: Document): Promise<boolean> {
  const names =
    document.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names.filter((name) => name in document).map((name) => `${name}\n${document[name]}\n`);
  const certificate = new X509Certificate(await (await fetch(document.SigningCertURL ?? '')).text());
  const verify = createVerify(document.SignatureVersion === '2' ? 'RSA-SHA256' : 'RSA-SHA1').update(text.join(''));
  return verify.verify(certificate.publicKey, document.Signature ?? '', 'base64');
}

describe('an HTTP endpoint', () => {
  it('is asked to confirm before it gets anything', async () => {
    const input = { TopicArn, Protocol: 'http', Endpoint: `${receiver.url}/hook` };
    const { SubscriptionArn } = await sns.send(new SubscribeCommand(input));
    await publish();

    expect(SubscriptionArn).toBe('pending confirmation');
    const [request, ...more] = receiver.received;
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      method: 'POST',
      url: '/hook',
      headers: {
        'content-type': 'text/plain; charset=UTF-8',
        'user-agent': 'Amazon Simple Notification Service Agent',
        'x-amz-sns-message-type': 'SubscriptionConfirmation',
        'x-amz-sns-topic-arn': TopicArn,
      },
    });
    expect(request?.headers).not.toHaveProperty('x-amz-sns-subscription-arn');
    const document = documentOf(request);
    expect(document).toMatchObject({ Type: 'SubscriptionConfirmation', TopicArn, MessageId: expect.any(String) });
    expect(document.SubscribeURL).toContain(`Token=${document.Token}`);
    await expect(verifies(document)).resolves.toBe(true);
  });

  it('confirms with the token through the API too', async () => {
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: receiver.url }));
    await runtime.advance(0);
    const { Token } = documentOf(receiver.received[0]);

    await expect(sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: 'x' }))).rejects.toThrow(/Token/);
    const { SubscriptionArn } = await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token }));

    const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
    expect(Attributes).toMatchObject({ PendingConfirmation: 'false', ConfirmationWasAuthenticated: 'true' });
  });

  it('that does not confirm within two days is forgotten, and cannot be removed before', async () => {
    const input = { TopicArn, Protocol: 'http', Endpoint: receiver.url, ReturnSubscriptionArn: true };
    const { SubscriptionArn } = await sns.send(new SubscribeCommand(input));
    await expect(sns.send(new UnsubscribeCommand({ SubscriptionArn }))).rejects.toThrow(/pending confirmation/);
    await runtime.advance(48 * 3600);

    const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions ?? []).toEqual([]);
    const { SubscribeURL = '' } = documentOf(receiver.received[0]);
    expect((await fetch(SubscribeURL)).status).toBe(400);
  });

  it.each(['1', '2'])('gets signed notifications, signature version %s', async (version) => {
    const signature = { TopicArn, AttributeName: 'SignatureVersion', AttributeValue: version };
    await sns.send(new SetTopicAttributesCommand(signature));
    const SubscriptionArn = await subscribe();
    const MessageAttributes = { colour: { DataType: 'String', StringValue: 'blue' } };

    const MessageId = await publish({ Subject: 'News', MessageAttributes });

    const [request] = receiver.received;
    expect(request?.headers).toMatchObject({
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-message-id': MessageId,
      'x-amz-sns-subscription-arn': SubscriptionArn,
    });
    const document = documentOf(request);
    expect(document).toMatchObject({
      Type: 'Notification',
      MessageId,
      Subject: 'News',
      Message: 'eggs',
      SignatureVersion: version,
      MessageAttributes: { colour: { Type: 'String', Value: 'blue' } },
    });
    await expect(verifies(document)).resolves.toBe(true);
    await expect(verifies({ ...document, Message: 'other eggs' })).resolves.toBe(false);
  });

  it('gets the bare message with raw delivery, and its own content type', async () => {
    const requestPolicy = { headerContentType: 'application/json' };
    await subscribe({ RawMessageDelivery: 'true', DeliveryPolicy: JSON.stringify({ requestPolicy }) });

    await publish();

    expect(receiver.received).toMatchObject([
      { body: 'eggs', headers: { 'x-amz-sns-rawdelivery': 'true', 'content-type': 'application/json' } },
    ]);
  });

  it('with TLS is reached when its certificate is trusted', async () => {
    const secure = await startHttpReceiver(runtime.endpoints);
    try {
      await subscribe({}, secure);
      await publish();
      expect(documentOf(secure.received[0])).toMatchObject({ Message: 'eggs' });
    } finally {
      await secure.close();
    }
  });

  it('on another machine is not reached, and the log says so', async () => {
    const Endpoint = 'https://hooks.example.org/x';
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'https', Endpoint }));
    await runtime.advance(0);

    expect(runtime.output()).toMatch(/sends requests to this machine only[^\n]*hooks\.example\.org/);
  });
});

describe('a delivery that fails', () => {
  const dlqPolicy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' }],
  };
  let sqs: SQSClient;
  let QueueUrl: string | undefined;
  let redrive: Record<string, string>;

  beforeEach(async () => {
    sqs = new SQSClient(runtime.config);
    const Attributes = { Policy: JSON.stringify(dlqPolicy) };
    ({ QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead', Attributes })));
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:${runtime.endpoints.accountId}:dead`;
    redrive = { RedrivePolicy: JSON.stringify({ deadLetterTargetArn }) };
  });

  async function dead() {
    const input = { QueueUrl, MessageAttributeNames: ['All'] };
    return (await sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
  }

  it('with 5xx is tried again three times, 20 seconds apart, and goes to the dead-letter queue', async () => {
    await subscribe(redrive);
    receiver.answerWith(() => 503);

    await publish();
    expect(receiver.received).toHaveLength(1);
    await runtime.advance(19);
    expect(receiver.received).toHaveLength(1);
    // Counted from the answer, which takes its time on a busy machine.
    await runtime.advance(6);
    expect(receiver.received).toHaveLength(2);
    await runtime.advance(20);
    expect(receiver.received).toHaveLength(3);
    expect(await dead()).toEqual([]);
    await runtime.advance(20);

    expect(receiver.received).toHaveLength(4);
    const [message] = await dead();
    expect(JSON.parse(message?.Body ?? '')).toMatchObject({ Type: 'Notification', Message: 'eggs' });
    expect(message?.MessageAttributes?.ErrorCode?.StringValue).toBe('503');
    await runtime.advance(3600);
    expect(receiver.received).toHaveLength(4);
  });

  it('is over when a later attempt succeeds', async () => {
    await subscribe(redrive);
    receiver.answerWith((request) => (request === 0 ? 500 : 200));

    await publish();
    await runtime.advance(3600);

    expect(receiver.received).toHaveLength(2);
    expect(await dead()).toEqual([]);
  });

  it('with 4xx is not tried again', async () => {
    await subscribe(redrive);
    receiver.answerWith(() => 404);

    await publish();

    expect(await dead()).toHaveLength(1);
    await runtime.advance(3600);
    expect(receiver.received).toHaveLength(1);
  });

  it('follows the four phases of a delivery policy', async () => {
    const healthyRetryPolicy = {
      numRetries: 7,
      numNoDelayRetries: 1,
      numMinDelayRetries: 1,
      numMaxDelayRetries: 2,
      minDelayTarget: 10,
      maxDelayTarget: 30,
      backoffFunction: 'linear',
    };
    const arn = await subscribe(redrive);
    const AttributeValue = JSON.stringify({ healthyRetryPolicy });
    await sns.send(
      new SetSubscriptionAttributesCommand({ SubscriptionArn: arn, AttributeName: 'DeliveryPolicy', AttributeValue }),
    );
    receiver.answerWith(() => 500);

    await publish();
    const counts = [receiver.received.length];
    // At once twice; after 10; back-off after 10, 20 and 30; then twice after 30.
    for (const seconds of [10, 10, 20, 30, 30, 30]) {
      await runtime.advance(seconds);
      counts.push(receiver.received.length);
    }

    expect(counts).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(await dead()).toHaveLength(1);
  });

  it.each([
    [{ numRetries: 101 }, /numRetries must be an integer from 0 to 100/],
    [{ minDelayTarget: 100, maxDelayTarget: 50 }, /maxDelayTarget must be an integer from 100/],
    [{ numRetries: 100, minDelayTarget: 600, maxDelayTarget: 600 }, /more than 3600 seconds/],
    [{ numRetries: 1, numNoDelayRetries: 2 }, /at least the sum/],
  ])('has no policy such as %j', async (healthyRetryPolicy, error) => {
    const Attributes = { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) };
    const input = { TopicArn, Protocol: 'http', Endpoint: receiver.url, Attributes };
    await expect(sns.send(new SubscribeCommand(input))).rejects.toThrow(error);
  });
});

describe('the link to unsubscribe', () => {
  it('ends a subscription, with a message that leads back', async () => {
    await subscribe();
    await publish();
    const { UnsubscribeURL = '' } = documentOf(receiver.received[0]);
    expect((await fetch(UnsubscribeURL)).status).toBe(200);
    await publish();

    const [, farewell, ...more] = receiver.received;
    expect(more).toEqual([]);
    expect(farewell?.headers['x-amz-sns-message-type']).toBe('UnsubscribeConfirmation');
    const document = documentOf(farewell);
    await expect(verifies(document)).resolves.toBe(true);

    expect((await fetch(document.SubscribeURL ?? '')).status).toBe(200);
    await publish();
    expect(documentOf(receiver.received[2])).toMatchObject({ Type: 'Notification' });
  });

  it('does nothing when unsubscribing needs a signature', async () => {
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: receiver.url }));
    await runtime.advance(0);
    const { Token } = documentOf(receiver.received[0]);
    await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token, AuthenticateOnUnsubscribe: 'true' }));
    await publish();
    const { UnsubscribeURL = '' } = documentOf(receiver.received[1]);

    expect((await fetch(UnsubscribeURL)).status).toBe(403);
    await publish();
    expect(receiver.received).toHaveLength(3);
  });
});

describe('a filter policy', () => {
  const attributes = (colour: string, size: string) => ({
    colour: { DataType: 'String', StringValue: colour },
    size: { DataType: 'Number', StringValue: size },
  });

  it('on attributes keeps away what does not match', async () => {
    const policy = { colour: ['blue', { prefix: 'gr' }], size: [{ numeric: ['>=', 10] }] };
    await subscribe({ FilterPolicy: JSON.stringify(policy), RawMessageDelivery: 'true' });

    await publish({ Message: 'blue', MessageAttributes: attributes('blue', '10') });
    await publish({ Message: 'green', MessageAttributes: attributes('green', '11') });
    await publish({ Message: 'red', MessageAttributes: attributes('red', '11') });
    await publish({ Message: 'small', MessageAttributes: attributes('blue', '9') });
    await publish({ Message: 'none' });

    expect(receiver.received.map(({ body }) => body)).toEqual(['blue', 'green']);
  });

  it('on the body reads its members', async () => {
    const FilterPolicy = JSON.stringify({ sensor: { kind: ['egg'] } });
    await subscribe({ FilterPolicyScope: 'MessageBody', FilterPolicy, RawMessageDelivery: 'true' });

    await publish({ Message: '{"sensor":{"kind":"egg"}}' });
    await publish({ Message: '{"sensor":{"kind":"hen"}}' });
    await publish({ Message: 'no JSON' });

    expect(receiver.received.map(({ body }) => body)).toEqual(['{"sensor":{"kind":"egg"}}']);
  });
});
