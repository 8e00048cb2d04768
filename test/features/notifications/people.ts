/** People of a platform on the local runtime: what they ask for, and what reaches them. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Notice } from '@thingstead/contracts/notices';
import type { ChannelsAnswer, ChannelsRequest, Target } from '@thingstead/contracts/notifications';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import type { Platform } from '../../support/platform.ts';
import type { OutboxEntry } from '../../support/runtime.ts';

export const FCM_ARN = 'arn:aws:sns:us-east-1:123456789012:app/GCM/farm';
export const DAILY_LIMIT = 5;
/** One deployment for all of these features: each synthesis takes seconds. */
export const CONTEXT = {
  'thingstead:push': { fcmArn: FCM_ARN },
  'thingstead:notifications': { noticesPerPersonPerDay: DAILY_LIMIT },
};

const START = Date.UTC(2026, 10, 21, 12);

/** A notice about these things, in the words of presence. */
export function notice(id: string, things: readonly string[], more: Partial<Notice> = {}): Notice {
  const [first = ''] = things;
  return {
    id,
    kind: 'offline',
    group: { kind: 'thing', name: first },
    things: things.map((thing) => ({ thing, since: START })),
    at: START,
    ...more,
  };
}

export class People {
  readonly #platform: Platform;
  readonly #lambda: LambdaClient;
  readonly #sqs: SQSClient;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#lambda = new LambdaClient(platform.config);
    this.#sqs = new SQSClient(platform.config);
  }

  async ask(request: ChannelsRequest | object): Promise<ChannelsAnswer> {
    const command = { FunctionName: 'thingstead-channels', Payload: Buffer.from(JSON.stringify(request)) };
    const { Payload, FunctionError } = await this.#lambda.send(new InvokeCommand(command));
    const text = Buffer.from(Payload ?? []).toString('utf8');
    if (FunctionError !== undefined) throw new Error(text);
    return JSON.parse(text);
  }

  async watch(person: string, kind: Target['kind'], name: string): Promise<void> {
    expect(await this.ask({ action: 'watch', person, target: { kind, name } })).toEqual({ ok: true });
  }

  /** Gives the person a text-message channel: it needs no confirmation. */
  async sms(person: string, number: string): Promise<void> {
    const answer = await this.ask({ action: 'put-channel', person, channel: { type: 'sms', number } });
    expect(answer).toMatchObject({ ok: true, channel: { state: 'active' } });
  }

  /** Puts notices on the queue, and lets be done what they cause. */
  async notify(...notices: readonly Notice[]): Promise<void> {
    const QueueUrl = await this.#url('thingstead-notices');
    for (const each of notices) {
      await this.#sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(each) }));
    }
    await this.#platform.idle();
  }

  /** What has gone to this address, number or endpoint. */
  async outbox(destination: string): Promise<readonly OutboxEntry[]> {
    const response = await fetch(`${this.#platform.config.endpoint}/_local/outbox`);
    const { entries } = (await response.json()) as { entries: readonly OutboxEntry[] };
    return entries.filter((each) => each.destination === destination);
  }

  /** Takes everything from the queue of failures. */
  async failures(): Promise<readonly Record<string, unknown>[]> {
    const QueueUrl = await this.#url('thingstead-notices-failed');
    const found: Record<string, unknown>[] = [];
    for (;;) {
      const { Messages = [] } = await this.#sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return found;
      for (const { Body = '', ReceiptHandle } of Messages) {
        found.push(JSON.parse(Body));
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }

  /** A webhook on this machine, asked for and confirmed. */
  async webhook(person: string): Promise<HttpReceiver> {
    const receiver = await startHttpReceiver({ rootCaFile: this.#platform.mqtt.rootCaFile });
    const channel = { type: 'webhook', url: `${receiver.url}/hook` };
    const answer = await this.ask({ action: 'put-channel', person, channel });
    expect(answer).toMatchObject({ ok: true, channel: { type: 'webhook', state: 'pending' } });
    await this.#platform.idle();
    const { SubscribeURL } = JSON.parse(receiver.received[0]?.body ?? '{}');
    expect((await fetch(SubscribeURL)).status).toBe(200);
    receiver.received.length = 0;
    return receiver;
  }

  async #url(QueueName: string): Promise<string> {
    return (await this.#sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
  }
}
