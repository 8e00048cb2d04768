/** What would have left the cloud: e-mails, text messages, calls of webhooks. */
export interface OutboxMessage {
  readonly Protocol: string;
  readonly Endpoint: string;
  readonly TopicArn: string | undefined;
  readonly Subject: string | undefined;
  readonly Message: string;
  readonly Timestamp: Date;
}

const KEPT = 1000;

export class Outbox {
  readonly #messages: OutboxMessage[] = [];

  get messages(): readonly OutboxMessage[] {
    return this.#messages;
  }

  add(message: OutboxMessage): void {
    this.#messages.push(message);
    if (this.#messages.length > KEPT) this.#messages.shift();
  }
}
