import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { GrantEnding } from '@thingstead/contracts/grants';

/** The longest delay of SQS. */
const MAX_DELAY_SECONDS = 900;

/** The queue on which grants wait for their end: each message comes back every 15 minutes until it is time. */
export class GrantEndings {
  readonly #client: SQSClient;
  readonly #queueUrl: string;
  readonly #now: () => number;

  constructor(client: SQSClient, queueUrl: string, now: () => number) {
    this.#client = client;
    this.#queueUrl = queueUrl;
    this.#now = now;
  }

  async schedule(ending: GrantEnding): Promise<void> {
    const seconds = Math.ceil((ending.endsAt - this.#now()) / 1000);
    const DelaySeconds = Math.min(Math.max(seconds, 0), MAX_DELAY_SECONDS);
    const message = { QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(ending), DelaySeconds };
    await this.#client.send(new SendMessageCommand(message));
  }
}
