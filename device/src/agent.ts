import { sensorBasicIngestTopic, sensorTopic } from '@thingstead/contracts/topics';
import { Backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { AgentConfig } from './config.ts';
import { keepConnected } from './keep-connected.ts';
import type { Liveness } from './liveness.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import { Publisher } from './publisher.ts';
import { startSampling } from './sampler.ts';
import type { Connect, Session, SessionEnd } from './session.ts';
import { Takeovers } from './takeovers.ts';

/** A connection that lasted so long is called stable; after it the pauses start small again. */
const STABLE_MS = 30_000;
/** How long the last readings may take when the agent ends. */
const FAREWELL_MS = 5_000;

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly connect: Connect;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly log: Log;
}

/**
 * Runs the device: samples the sensors, keeps the connection, publishes. When the signal is aborted it reads no more,
 * sends what waits, says goodbye to the broker and returns.
 */
export async function runAgent(
  { config, connect, outbox, clock, liveness, log }: AgentOptions,
  signal: AbortSignal,
): Promise<void> {
  const { thing, publish, reconnect } = config;
  const topic = publish.basicIngest ? sensorBasicIngestTopic : sensorTopic;
  const publisher = new Publisher({ outbox, log, topicOf: (sensor) => topic(thing, sensor) });
  const backoff = new Backoff({
    baseMs: reconnect.baseSeconds * 1000,
    capMs: reconnect.capSeconds * 1000,
    stableMs: STABLE_MS,
  });
  const takeovers = new Takeovers({ clock, log, firstMs: reconnect.capSeconds * 1000 });
  const stopSampling = startSampling({ thing, sensors: config.sensors, outbox, clock, liveness, log });
  signal.addEventListener('abort', stopSampling, { once: true });

  await keepConnected({ connect, backoff, takeovers, clock, log, use }, signal);

  log.info('agent.stopped', {
    messages: publisher.published,
    unsent: outbox.size,
    dropped: outbox.dropped,
    setAside: outbox.setAsideReadings,
  });

  /** Publishes at the interval until the connection is lost or the agent ends. */
  async function use(session: Session): Promise<SessionEnd> {
    const tick = (): void => {
      void publisher.flush(session);
      cancelTick = clock.after(publish.intervalSeconds * 1000, tick);
    };
    let cancelTick = (): void => {};
    tick();
    const lost = await closedOrAborted(session, signal);
    cancelTick();
    if (!lost) await farewell(session);
    const end = await session.closed;
    await publisher.sessionEnded(end);
    return end;
  }

  async function farewell(session: Session): Promise<void> {
    const done = new AbortController();
    const flushed = (async () => {
      // The first call may join a run that started before the last reading.
      await publisher.flush(session);
      await publisher.flush(session);
      done.abort();
    })();
    await Promise.race([flushed, pause(clock, FAREWELL_MS, done.signal), session.closed]);
    done.abort();
    await session.disconnect();
  }
}

/** True when the connection went first. */
function closedOrAborted(session: Session, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const abort = (): void => resolve(false);
    signal.addEventListener('abort', abort, { once: true });
    void session.closed.then(() => {
      signal.removeEventListener('abort', abort);
      resolve(true);
    });
  });
}
