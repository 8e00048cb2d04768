import { randomUUID } from 'node:crypto';
import type { Kernel } from '../../kernel/kernel.ts';
import type { IotMessage, MessageBus } from './types.ts';

type Handler = (message: IotMessage) => unknown;

/**
 * Where every accepted message passes. A message that is published while another is handed around waits its turn, so
 * that every listener sees the same order.
 */
class LocalMessageBus implements MessageBus {
  readonly #kernel: Kernel;
  readonly #handlers: Handler[] = [];
  readonly #waiting: IotMessage[] = [];
  #passing = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  publish(message: IotMessage): void {
    this.#waiting.push(message);
    if (this.#passing) return;
    this.#passing = true;
    // Indexed, since messages are added while the loop runs.
    for (let at = 0; at < this.#waiting.length; at += 1) this.#pass(this.#waiting[at] as IotMessage);
    this.#waiting.length = 0;
    this.#passing = false;
  }

  listen(handler: Handler): void {
    this.#handlers.push(handler);
  }

  publishFromService(topic: string, payload: unknown, options: { readonly clientId?: string | undefined } = {}): void {
    const bytes = Buffer.from(JSON.stringify(payload));
    const pass = () => this.#publishOwn(topic, bytes, options.clientId);
    const { faults } = this.#kernel;
    const harm = faults.draw('event', { topic });
    if (harm?.do === 'drop') return;
    if (harm?.do === 'delay' || harm?.do === 'reorder') {
      harm.hold(pass);
      return;
    }
    pass();
    if (harm?.do === 'duplicate') pass();
    faults.passed('event', { topic });
  }

  #publishOwn(topic: string, payload: Buffer, clientId: string | undefined): void {
    this.publish({
      topic,
      payload,
      qos: 1,
      retain: false,
      properties: {},
      clientId,
      principal: undefined,
      sourceIp: undefined,
      receivedAt: this.#kernel.clock.now(),
      traceId: randomUUID(),
    });
  }

  #pass(message: IotMessage): void {
    for (const handler of this.#handlers) {
      try {
        const result = handler(message);
        if (result instanceof Promise) this.#kernel.activity.track(() => result);
      } catch (error) {
        // One listener's defect must not keep the message from the others.
        this.#kernel.log.error('a listener of the message bus failed', { topic: message.topic, error });
      }
    }
  }
}

/** The account's message bus; `publish` asks for no permission, that is the caller's part. */
export function createMessageBus(kernel: Kernel): MessageBus {
  return new LocalMessageBus(kernel);
}
