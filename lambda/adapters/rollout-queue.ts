import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { RolloutTick } from '@thingstead/contracts/rollout-store';
import type { Ticks } from '../rollouts/ports.ts';

/** The queue of rollouts. */
export class RolloutQueue implements Ticks {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(tick: RolloutTick, DelaySeconds: number): Promise<void> {
    const message = { QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(tick), DelaySeconds };
    await this.#client.send(new SendMessageCommand(message));
  }
}
