import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { CommandTick } from '@thingstead/contracts/command-store';
import type { Ticks } from '../command-deliveries/ports.ts';

/** The queue of deliveries. */
export class CommandQueue implements Ticks {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(tick: CommandTick, DelaySeconds: number): Promise<void> {
    const message = { QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(tick), DelaySeconds };
    await this.#client.send(new SendMessageCommand(message));
  }
}
