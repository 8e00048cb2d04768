/**
 * What is known of a connection from two sources: AWS IoT's life-cycle events, and what the device (or its last will) says
 * in the shadow. Each is ordered by itself; together they decide, or leave it to the broker. What the broker has answered
 * outweighs what happened before.
 */
import type { LifeCycleEvent, Observation, PresenceState, ShadowReport } from '@thingstead/contracts/presence';

const MINUTE_MS = 60_000;
/** Timestamps of two sources, or of two hosts of AWS IoT, can be so far apart and mean the same moment. */
const SKEW_MS = 4 * MINUTE_MS;
/** Events come later than this only when something is very wrong. */
const LATE_MS = 10 * MINUTE_MS;
/** The version number begins at 0 again after about an hour without a connection; from here on it says nothing. */
const RESET_MS = 50 * MINUTE_MS;
const SHADOW_VERSION_KEPT_MS = 47 * 60 * MINUTE_MS;

type LifeCycle = NonNullable<PresenceState['lifeCycle']>;
type Shadow = NonNullable<PresenceState['shadow']>;
type Answer = NonNullable<PresenceState['broker']>;

export interface Evidence {
  readonly lifeCycle: LifeCycle | undefined;
  readonly shadow: Shadow | undefined;
  readonly broker: Answer | undefined;
  /** Nothing that was told decides: ask the broker. */
  readonly unclear: boolean;
  readonly reason: string | undefined;
  readonly ipAddress: string | undefined;
}

/** Adds observations to what was known, in any order and any number of times. */
export function addEvidence(known: PresenceState | undefined, observations: readonly Observation[]): Evidence {
  let evidence: Evidence = {
    lifeCycle: known?.lifeCycle,
    shadow: known?.shadow,
    broker: known?.broker,
    unclear: false,
    reason: undefined,
    ipAddress: known?.ipAddress,
  };
  for (const observation of observations) {
    if (observation.kind === 'life-cycle') evidence = addEvent(evidence, observation);
    else if (observation.kind === 'shadow') evidence = addReport(evidence, observation);
    else evidence = { ...evidence, unclear: true };
  }
  return evidence;
}

/** True or false when the sources agree, or one is later than the others beyond doubt; undefined: ask the broker. */
export function decide({ lifeCycle, shadow, broker, unclear }: Evidence): boolean | undefined {
  if (unclear) return undefined;
  const sources = [lifeCycle, shadow, broker].filter((each) => each !== undefined).sort((a, b) => b.at - a.at);
  const [latest, ...others] = sources;
  const doubtful = others.some(
    ({ connected, at }) => connected !== latest?.connected && latest && latest.at - at <= SKEW_MS,
  );
  return doubtful ? undefined : latest?.connected;
}

function addEvent(evidence: Evidence, event: LifeCycleEvent): Evidence {
  const { lifeCycle } = evidence;
  const order = lifeCycle ? compare(event, lifeCycle) : 'later';
  // The connection that took over is there already, whether or not its event is.
  const takenOver = event.reason === 'DUPLICATE_CLIENTID';
  const unclear = evidence.unclear || order === 'unclear' || (order === 'later' && takenOver);
  if (order === 'earlier' || (order === 'unclear' && lifeCycle && event.at < lifeCycle.at)) {
    return { ...evidence, unclear };
  }
  const { session, version, at, reason, ipAddress } = event;
  const connected = event.eventType === 'connected';
  return {
    ...evidence,
    unclear,
    lifeCycle: { connected, session, version, at },
    reason,
    ipAddress: connected ? ipAddress : evidence.ipAddress,
  };
}

/** A shadow's versions rise with every update. Only one that was deleted for 48 hours begins at 1 again. */
function addReport(evidence: Evidence, { connected, session, version, at }: ShadowReport): Evidence {
  const { shadow } = evidence;
  if (shadow && version <= shadow.version && at < shadow.at + SHADOW_VERSION_KEPT_MS) return evidence;
  return { ...evidence, shadow: { connected, version, at, ...(session !== undefined && { session }) } };
}

/**
 * https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html: an event may come twice and out of order;
 * both events of a connection carry its version number, which rises by connections and is reset.
 */
function compare(event: LifeCycleEvent, known: LifeCycle): 'later' | 'earlier' | 'unclear' {
  const byTime = Math.sign(event.at - known.at);
  if (event.session === known.session) {
    // A connection ends once; its beginning is no news after that.
    return known.connected && event.eventType === 'disconnected' ? 'later' : 'earlier';
  }
  const apart = Math.abs(event.at - known.at);
  if (apart > RESET_MS) return byTime > 0 ? 'later' : 'earlier';
  const byVersion = Math.sign(event.version - known.version);
  if (byVersion === 0 || (apart > LATE_MS && byVersion !== byTime)) return 'unclear';
  return byVersion > 0 ? 'later' : 'earlier';
}
