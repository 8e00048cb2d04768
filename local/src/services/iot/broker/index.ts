/** The message broker on its port. */
import type { Kernel } from '../../../kernel/kernel.ts';
import { MessageBroker, type MessageBrokerOptions } from './message-broker.ts';
import { type ServerCredentials, TlsListener } from './tls-listener.ts';

export type { MessageBroker } from './message-broker.ts';
export { type ServerCredentials, sniOf, TLS_OPTIONS } from './tls-listener.ts';

export interface BrokerOptions extends MessageBrokerOptions {
  readonly tls: ServerCredentials;
  /** 8883 on AWS; 0 finds a free one. */
  readonly port: number;
  /** Loopback; the runtime is never reachable from another machine. */
  readonly host?: string;
}

export interface Broker {
  /** Connections that came another way (WebSocket) are handed to `messages.accept`. */
  readonly messages: MessageBroker;
  readonly port: number;
  listen(): Promise<void>;
  /** Drops all clients and frees the port. */
  close(): Promise<void>;
}

/** The MQTT broker: MQTT 3.1.1 and 5 over mutual TLS, with AWS IoT's semantics. */
export function createBroker(kernel: Kernel, options: BrokerOptions): Broker {
  const messages = new MessageBroker(kernel, options);
  const listener = new TlsListener({
    tls: options.tls,
    host: options.host ?? '127.0.0.1',
    port: options.port,
    log: kernel.log,
    onConnection: (socket, peer) => messages.accept(socket, peer),
  });
  return {
    messages,
    get port() {
      return listener.port;
    },
    listen: () => listener.listen(),
    async close() {
      messages.close();
      await listener.close();
    },
  };
}
