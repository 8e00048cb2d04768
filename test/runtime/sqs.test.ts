/** Amazon SQS through the SDK. */

import { Sha256 } from '@aws-crypto/sha256-js';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  type QueueAttributeName,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let client: SQSClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new SQSClient(runtime.config);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

async function create(
  QueueName: string,
  Attributes: Partial<Record<QueueAttributeName, string>> = {},
): Promise<{ url: string; arn: string }> {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  const arn = (await attribute(QueueUrl, 'QueueArn')) ?? '';
  return { url: QueueUrl, arn };
}

async function attribute(QueueUrl: string, name: QueueAttributeName): Promise<string | undefined> {
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }));
  return Attributes?.[name];
}

async function send(QueueUrl: string, MessageBody: string, more: Partial<SendMessageCommandInput> = {}) {
  return client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
}

async function receive(QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const input = { QueueUrl, MaxNumberOfMessages: 10, ...more };
  return (await client.send(new ReceiveMessageCommand(input))).Messages ?? [];
}

const bodies = (messages: readonly Message[]) => messages.map(({ Body }) => Body);

describe('a message', () => {
  it('is hidden while it is in flight, comes back after the visibility timeout, and is gone once deleted', async () => {
    // GIVEN
    const { url } = await create('eggs', { VisibilityTimeout: '30' });
    await send(url, 'one');

    // WHEN
    const [first] = await receive(url, { MessageSystemAttributeNames: ['All'] });
    const whileInFlight = await receive(url);
    await runtime.advance(30);
    const [second] = await receive(url, { MessageSystemAttributeNames: ['All'] });
    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: second?.ReceiptHandle }));
    await runtime.advance(30);

    // THEN
    expect(first?.Attributes?.ApproximateReceiveCount).toBe('1');
    expect(whileInFlight).toEqual([]);
    expect(second?.MessageId).toBe(first?.MessageId);
    expect(second?.Attributes?.ApproximateReceiveCount).toBe('2');
    expect(await receive(url)).toEqual([]);
  });

  it('is not deleted by a receipt handle that is not the newest', async () => {
    const { url } = await create('eggs');
    await send(url, 'one');
    const [first] = await receive(url, { VisibilityTimeout: 1 });
    await runtime.advance(1);
    await receive(url, { VisibilityTimeout: 1 });

    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
    await runtime.advance(1);

    expect(bodies(await receive(url))).toEqual(['one']);
  });

  it('keeps its attributes, with the digest that the SDK verifies', async () => {
    const { url } = await create('eggs');
    const MessageAttributes = {
      colour: { DataType: 'String', StringValue: 'blue' },
      weight: { DataType: 'Number.gram', StringValue: '61.5' },
      shell: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) },
    };

    const sent = await send(url, 'one', { MessageAttributes });
    const [all] = await receive(url, { MessageAttributeNames: ['All'], VisibilityTimeout: 0 });
    const [some] = await receive(url, { MessageAttributeNames: ['colour'] });

    expect(all?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(Buffer.from(all?.MessageAttributes?.shell?.BinaryValue ?? [])).toEqual(Buffer.from([0, 255]));
    expect(all?.MessageAttributes?.weight).toMatchObject({ DataType: 'Number.gram', StringValue: '61.5' });
    expect(some?.MessageAttributes).toEqual({ colour: { DataType: 'String', StringValue: 'blue' } });
  });

  it('waits for its delay', async () => {
    const { url } = await create('eggs', { DelaySeconds: '5' });
    await send(url, 'later');
    await send(url, 'at once', { DelaySeconds: 0 });

    expect(bodies(await receive(url))).toEqual(['at once']);
    await runtime.advance(5);
    expect(bodies(await receive(url))).toEqual(['later']);
  });

  it('is gone when its retention is over', async () => {
    const { url } = await create('eggs', { MessageRetentionPeriod: '60' });
    await send(url, 'one');

    await runtime.advance(60);

    expect(await attribute(url, 'ApproximateNumberOfMessages')).toBe('0');
    expect(await receive(url)).toEqual([]);
  });

  it('may have one mebibyte and not a byte more', async () => {
    const { url } = await create('eggs');

    await send(url, 'x'.repeat(1_048_576));

    await expect(send(url, 'x'.repeat(1_048_577))).rejects.toThrow('Message must be shorter than 1048576 bytes');
    await expect(send(url, 'a\u0000b')).rejects.toMatchObject({ name: 'InvalidMessageContents' });
  });

  it('becomes visible at once when its visibility is set to zero', async () => {
    const { url } = await create('eggs');
    await send(url, 'one');
    const [message] = await receive(url);
    const change = { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 };

    await client.send(new ChangeMessageVisibilityCommand(change));

    expect(bodies(await receive(url))).toEqual(['one']);
  });
});

describe('long polling', () => {
  it('answers as soon as a message becomes visible', async () => {
    const { url } = await create('eggs');
    const waiting = receive(url, { WaitTimeSeconds: 20 });

    await send(url, 'one');

    expect(bodies(await waiting)).toEqual(['one']);
  });

  it('answers with nothing when the time is over', async () => {
    const { url } = await create('eggs', { ReceiveMessageWaitTimeSeconds: '20' });
    let answered = false;
    const waiting = receive(url).finally(() => {
      answered = true;
    });
    // The request has arrived once a later one is answered.
    await attribute(url, 'QueueArn');
    expect(answered).toBe(false);

    await runtime.advance(20);

    expect(await waiting).toEqual([]);
  });
});

describe('a redrive policy', () => {
  it('moves a message to the dead-letter queue after as many receives as it says', async () => {
    // GIVEN
    const dead = await create('dead');
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const { url, arn } = await create('eggs', { RedrivePolicy });
    await send(url, 'poison');

    // WHEN
    for (let times = 0; times < 3; times += 1) await receive(url, { VisibilityTimeout: 0 });

    // THEN
    expect(await attribute(url, 'ApproximateNumberOfMessages')).toBe('0');
    const [message] = await receive(dead.url, { MessageSystemAttributeNames: ['All'] });
    expect(message?.Body).toBe('poison');
    expect(message?.Attributes?.DeadLetterQueueSourceArn).toBe(arn);
  });

  it('needs a dead-letter queue that exists', async () => {
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: 'arn:aws:sqs:us-east-1:123456789012:no',
      maxReceiveCount: 2,
    });

    await expect(create('eggs', { RedrivePolicy })).rejects.toThrow('Dead letter target does not exist');
  });

  it('leaves the message where it is when the dead-letter queue does not allow the source', async () => {
    const dead = await create('dead', { RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'denyAll' }) });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
    const { url } = await create('eggs', { RedrivePolicy });
    await send(url, 'one');

    await receive(url, { VisibilityTimeout: 0 });

    expect(bodies(await receive(url))).toEqual(['one']);
  });
});

describe('batches', () => {
  it('accept and refuse each entry by itself', async () => {
    const { url } = await create('eggs', { MaximumMessageSize: '1024' });
    const Entries = [
      { Id: 'good', MessageBody: 'one' },
      { Id: 'bad', MessageBody: 'x'.repeat(1025) },
    ];

    const sent = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));

    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(sent.Failed).toMatchObject([{ Id: 'bad', Code: 'InvalidParameterValue', SenderFault: true }]);
    const [message] = await receive(url);
    const deletion = {
      QueueUrl: url,
      Entries: [
        { Id: 'a', ReceiptHandle: message?.ReceiptHandle },
        { Id: 'b', ReceiptHandle: 'nonsense' },
      ],
    };
    const deleted = await client.send(new DeleteMessageBatchCommand(deletion));
    expect(deleted.Successful?.map(({ Id }) => Id)).toEqual(['a']);
    expect(deleted.Failed).toMatchObject([{ Id: 'b', Code: 'ReceiptHandleIsInvalid' }]);
  });

  it.each([
    ['none', [], 'EmptyBatchRequest'],
    ['eleven', Array.from({ length: 11 }, (_, at) => `m${at}`), 'TooManyEntriesInBatchRequest'],
    ['two of one id', ['a', 'a'], 'BatchEntryIdsNotDistinct'],
    ['an id with a dot', ['a.b'], 'InvalidBatchEntryId'],
  ])('of %s are refused', async (_name, ids, error) => {
    const { url } = await create('eggs');
    const Entries = ids.map((Id) => ({ Id, MessageBody: 'one' }));

    await expect(client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }))).rejects.toMatchObject({
      name: error,
    });
  });
});

describe('the query protocol of older clients', () => {
  it('sends and receives', async () => {
    const { url } = await create('eggs');
    const call = async (form: Record<string, string>): Promise<string> => {
      const { hostname, port, host, pathname: path } = new URL(url);
      const headers = { host, 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams({ Version: '2012-11-05', QueueUrl: url, ...form }).toString();
      const signer = new SignatureV4({ ...runtime.config, service: 'sqs', sha256: Sha256 });
      const signed = await signer.sign(
        new HttpRequest({ method: 'POST', hostname, port: Number(port), path, headers, body }),
      );
      return (await fetch(url, { method: 'POST', headers: signed.headers, body })).text();
    };

    const sent = await call({
      Action: 'SendMessage',
      MessageBody: 'one',
      DelaySeconds: '0',
      'MessageAttribute.1.Name': 'colour',
      'MessageAttribute.1.Value.DataType': 'String',
      'MessageAttribute.1.Value.StringValue': 'blue',
    });
    const received = await call({
      Action: 'ReceiveMessage',
      'AttributeName.1': 'ApproximateReceiveCount',
      'MessageAttributeName.1': 'All',
    });
    const missing = await call({ Action: 'GetQueueUrl', QueueName: 'none' });

    expect(sent).toMatch(/<SendMessageResult>.*<MD5OfMessageBody>f97c5d29941bfb1b2fdab0874906ab82<\/MD5OfMessageBody>/);
    expect(received).toContain('<Body>one</Body>');
    expect(received).toContain('<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>');
    expect(received).toMatch(/<MessageAttribute><Name>colour<\/Name><Value>.*<StringValue>blue<\/StringValue>/);
    expect(missing).toContain('<Code>AWS.SimpleQueueService.NonExistentQueue</Code>');
  });
});

describe('a queue', () => {
  it('is found by name and listed; the same again is the same queue, with other attributes an error', async () => {
    const { url } = await create('eggs', { VisibilityTimeout: '40' });

    const again = await client.send(
      new CreateQueueCommand({ QueueName: 'eggs', Attributes: { VisibilityTimeout: '40' } }),
    );
    const found = await client.send(new GetQueueUrlCommand({ QueueName: 'eggs' }));

    expect([again.QueueUrl, found.QueueUrl]).toEqual([url, url]);
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'eg' }))).QueueUrls).toEqual([url]);
    await expect(create('eggs', { VisibilityTimeout: '41' })).rejects.toMatchObject({ name: 'QueueNameExists' });
  });

  it('that does not exist is answered with the error that the SDK knows', async () => {
    const missing = `${runtime.endpoints.awsEndpoint}/${runtime.endpoints.accountId}/none`;

    await expect(send(missing, 'x')).rejects.toBeInstanceOf(QueueDoesNotExist);
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toBeInstanceOf(QueueDoesNotExist);
  });

  it.each<[Partial<Record<QueueAttributeName, string>>, string]>([
    [{ DelaySeconds: '901' }, 'InvalidAttributeValue'],
    [{ VisibilityTimeout: 'soon' }, 'InvalidAttributeValue'],
    [{ FifoQueue: 'true' }, 'NotEmulated'],
    [{ Policy: 'no json' }, 'InvalidAttributeValue'],
  ])('with the attributes %j is refused', async (attributes, error) => {
    await expect(create('eggs', attributes)).rejects.toMatchObject({ name: error });
  });

  it('counts what is visible, in flight and delayed; a purge leaves nothing', async () => {
    const { url } = await create('eggs');
    for (const body of ['a', 'b', 'c']) await send(url, body);
    await send(url, 'd', { DelaySeconds: 10 });
    await receive(url, { MaxNumberOfMessages: 1 });

    expect(await attribute(url, 'ApproximateNumberOfMessages')).toBe('2');
    expect(await attribute(url, 'ApproximateNumberOfMessagesNotVisible')).toBe('1');
    expect(await attribute(url, 'ApproximateNumberOfMessagesDelayed')).toBe('1');
    await client.send(new PurgeQueueCommand({ QueueUrl: url }));
    await runtime.advance(30);
    expect(await receive(url)).toEqual([]);
    await expect(client.send(new PurgeQueueCommand({ QueueUrl: url }))).rejects.toMatchObject({
      name: 'PurgeQueueInProgress',
    });
  });

  it.each([
    ['no JSON', '{'],
    ['no principal', JSON.stringify({ Statement: { Effect: 'Allow', Action: 'sqs:*', Resource: '*' } })],
    [
      'no effect',
      JSON.stringify({ Statement: { Efect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' } }),
    ],
  ])('takes no policy with %s', async (_what, Policy) => {
    await expect(create('jobs', { Policy })).rejects.toMatchObject({ name: 'InvalidAttributeValue' });
  });

  it('obeys its policy: an explicit denial also binds the operator', async () => {
    const { url, arn } = await create('eggs');
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 'sqs:SendMessage', Resource: arn }],
    });
    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));

    await expect(send(url, 'x')).rejects.toThrow(/is not authorized to perform: sqs:SendMessage .* explicit deny/i);
  });
});
