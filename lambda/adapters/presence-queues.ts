import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Notice } from '@thingstead/contracts/notices';
import type { Check } from '@thingstead/contracts/presence';
import type { Checks, Notices } from '../presence/ports.ts';

/** The queue of the presence function's own checks. */
export class CheckQueue implements Checks {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(check: Check, DelaySeconds: number): Promise<void> {
    const message = { QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(check), DelaySeconds };
    await this.#client.send(new SendMessageCommand(message));
  }
}

/** The queue of the notifications function. A notice of 2 500 things is about 300 KB; SQS takes 1 MiB. */
export class NoticeQueue implements Notices {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(notice: Notice): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(notice) }));
  }
}
