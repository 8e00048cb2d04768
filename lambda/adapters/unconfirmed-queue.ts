import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { UnconfirmedDelivery } from '@thingstead/contracts/notifications';
import type { Failures } from '../notifications/ports.ts';

/** The queue of failures of the notices, for deliveries of which nobody knows how they ended. */
export class UnconfirmedQueue implements Failures {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(delivery: UnconfirmedDelivery): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({ QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(delivery) }),
    );
  }
}
