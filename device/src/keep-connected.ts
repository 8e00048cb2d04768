import type { Backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import { messageOf } from './configuration-error.ts';
import type { Log } from './log.ts';
import { type Connect, ConnectionFailed, type Session, type SessionEnd } from './session.ts';
import type { Takeovers } from './takeovers.ts';

/** DISCONNECT "session taken over": another client has connected with this name and this certificate's rights. */
const TAKEN_OVER = 0x8e;

/** More than a registration needs, so that somebody should look. */
const MANY_REFUSALS = 5;

export interface KeepConnectedOptions {
  readonly connect: Connect;
  readonly backoff: Backoff;
  readonly takeovers: Takeovers;
  readonly clock: Clock;
  readonly log: Log;
  /** Uses a session until it ends. */
  readonly use: (session: Session) => Promise<SessionEnd>;
}

/**
 * Connects, and connects again, until the signal is aborted. The first refusal of a new device is expected: AWS IoT closes
 * the first connection of an unknown certificate while it is being registered.
 */
export async function keepConnected(options: KeepConnectedOptions, signal: AbortSignal): Promise<void> {
  const { connect, backoff, takeovers, clock, log, use } = options;
  let wasAccepted = false;
  let refusals = 0;
  while (!signal.aborted) {
    try {
      log.debug('connection.connecting');
      const session = await connect(signal);
      const since = clock.uptime();
      wasAccepted = true;
      log.info('connection.connected');
      const end = await use(session);
      backoff.connectedFor(clock.uptime() - since);
      if (signal.aborted) return;
      await waitAfter(end);
    } catch (error) {
      if (signal.aborted) return;
      await waitAfterFailure(error);
    }
  }

  async function waitAfter({ reason, reasonCode }: SessionEnd): Promise<void> {
    if (reasonCode === TAKEN_OVER) {
      await pause(clock, takeovers.takenOver(reason), signal);
      return;
    }
    const retryInMs = backoff.next();
    log.warn('connection.lost', { reason, retryInMs });
    await pause(clock, retryInMs, signal);
  }

  async function waitAfterFailure(error: unknown): Promise<void> {
    const retryInMs = backoff.next();
    const reason = messageOf(error);
    const kind = error instanceof ConnectionFailed ? error.kind : 'unreachable';
    if (kind === 'closed-without-answer' && !wasAccepted) {
      refusals += 1;
      const waiting = 'the endpoint closed the connection: the certificate is new here, or waits for activation';
      if (refusals < MANY_REFUSALS) {
        log.info('connection.waiting_for_activation', { message: waiting, reason, retryInMs });
      } else {
        const message = `${waiting}; after ${refusals} times, ask the operator: it may be held, revoked, or of an unknown CA`;
        log.warn('connection.waiting_for_activation', { message, reason, retryInMs });
      }
    } else if (kind === 'closed-without-answer') {
      const message = 'the endpoint closed the connection without an answer: is the certificate still active?';
      log.warn('connection.refused', { message, reason, retryInMs });
    } else {
      log.warn(kind === 'refused' ? 'connection.refused' : 'connection.unreachable', { reason, retryInMs });
    }
    await pause(clock, retryInMs, signal);
  }
}
