import type { Liveness } from './liveness.ts';
import type { Connect, Session } from './session.ts';

/** Name, TCP, TLS and CONNACK have shorter limits of their own, together well below this. */
const CONNECT_MS = 180_000;
/** The SDK gives up waiting for a PUBACK after 20 s. */
const PUBLISH_MS = 120_000;

/** What is expected of a connection on which readings wait. */
export const SENDING = 'readings that wait are sent';

export interface WatchedConnectOptions {
  readonly connect: Connect;
  readonly liveness: Liveness;
  /** How often waiting readings are sent, in milliseconds. */
  readonly publishMs: () => number;
  /** True while there is a connection. */
  readonly changed: (connected: boolean) => void;
}

/** Time after which readings that wait on a connection must have been sent: one run may be left out. */
export function sendingMs(publishMs: number): number {
  return 2 * publishMs + PUBLISH_MS;
}

/** Connects as `connect` does, and has liveness expect that every attempt and every publish comes to an end. */
export function watchedConnect({ connect, liveness, publishMs, changed }: WatchedConnectOptions): Connect {
  return async (signal) => {
    const attempt = 'the attempt to connect ends';
    liveness.expect(attempt, CONNECT_MS);
    try {
      const session = await connect(signal);
      liveness.expect(SENDING, sendingMs(publishMs()));
      changed(true);
      void session.closed.then(() => {
        liveness.done(SENDING);
        changed(false);
      });
      return watched(session);
    } finally {
      liveness.done(attempt);
    }
  };

  function watched(session: Session): Session {
    let count = 0;
    return {
      id: session.id,
      closed: session.closed,
      subscribe: (filters) => session.subscribe(filters),
      onMessage: (listener) => session.onMessage(listener),
      disconnect: () => session.disconnect(),
      publish: async (topic, payload) => {
        count += 1;
        const answer = `publish ${count} is answered`;
        liveness.expect(answer, PUBLISH_MS);
        liveness.expect(SENDING, sendingMs(publishMs()));
        try {
          return await session.publish(topic, payload);
        } finally {
          liveness.done(answer);
        }
      },
    };
  }
}
