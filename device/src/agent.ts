import { sensorBasicIngestTopic, sensorTopic } from '@thingstead/contracts/topics';
import { Backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { AgentConfig } from './config.ts';
import { Introduction, type SessionIntroduction } from './introduction.ts';
import { keepConnected } from './keep-connected.ts';
import type { Liveness } from './liveness.ts';
import type { Log } from './log.ts';
import type { Onboarding } from './onboarding.ts';
import type { Outbox } from './outbox.ts';
import { pacedSensors, publishEveryMs } from './pace.ts';
import { Publisher } from './publisher.ts';
import { startSampling } from './sampler.ts';
import type { Connect, Session, SessionEnd } from './session.ts';
import type { SessionPart } from './session-part.ts';
import { Takeovers } from './takeovers.ts';

/** A connection that lasted so long is called stable; after it the pauses start small again. */
const STABLE_MS = 30_000;
/** How long the last readings and the last report may take when the agent ends. */
const FAREWELL_MS = 5_000;

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly connect: Connect;
  readonly outbox: Outbox;
  readonly onboarding: Onboarding;
  /** What else speaks with the cloud. */
  readonly parts?: readonly SessionPart[];
  /** Reported in the shadow. */
  readonly firmwareVersion: string;
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly log: Log;
}

/**
 * Runs the device: samples the sensors, keeps the connection, publishes, and tells the cloud of itself. When the signal is
 * aborted it reads no more, sends what waits, says goodbye to the cloud and returns.
 */
export async function runAgent(
  { config, connect, outbox, onboarding, parts = [], firmwareVersion, clock, liveness, log }: AgentOptions,
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
  // A shadow merges: what is no longer set has to be removed from it.
  const details = () => ({
    firmwareVersion,
    settings: { samplingSeconds: null, reportingSeconds: null, ...onboarding.settings },
  });
  const introduction = new Introduction({ thing, onboarding, parts, clock, log, details });
  let stopSampling = sample();
  signal.addEventListener('abort', () => stopSampling(), { once: true });

  await keepConnected({ connect, backoff, takeovers, clock, log, use }, signal);
  await endParts();

  log.info('agent.stopped', {
    messages: publisher.published,
    unsent: outbox.size,
    dropped: outbox.dropped,
    setAside: outbox.setAsideReadings,
  });

  function endParts(): Promise<unknown> {
    return Promise.all(parts.map((part) => part.end?.()));
  }

  function sample(): () => void {
    const sensors = pacedSensors(config.sensors, onboarding.settings);
    return startSampling({ thing, sensors, outbox, clock, liveness, log });
  }

  /** Publishes at the interval until the connection is lost or the agent ends. */
  async function use(session: Session): Promise<SessionEnd> {
    const introduced = introduction.on(session);
    let cancelTick = (): void => {};
    const tick = (): void => {
      void publisher.flush(session);
      cancelTick = clock.after(publishEveryMs(publish.intervalSeconds, onboarding.settings), tick);
    };
    tick();
    onboarding.onSettings(() => {
      stopSampling();
      stopSampling = sample();
      cancelTick();
      tick();
      introduced.changed();
    });
    const lost = await closedOrAborted(session, signal);
    onboarding.onSettings(undefined);
    cancelTick();
    if (!lost) await farewell(session, introduced);
    const end = introduced.judge(await session.closed);
    await publisher.sessionEnded(end);
    return end;
  }

  async function farewell(session: Session, introduced: SessionIntroduction): Promise<void> {
    const done = new AbortController();
    const said = Promise.all([introduced.end(), endParts()]);
    const flushed = (async () => {
      // The first call may join a run that started before the last reading.
      await publisher.flush(session);
      await publisher.flush(session);
      await said;
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
