import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QuarantinedMessage } from '@thingstead/contracts/telemetry-store';
import type { Quarantine } from '../telemetry/ports.ts';

/** The quarantine queue. A message of AWS IoT, at most 128 KB, always fits: SQS takes 1 MiB. */
export class QuarantineQueue implements Quarantine {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(message: QuarantinedMessage): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(message) }));
  }
}
