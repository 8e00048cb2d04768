import type { Observation, PresenceRow, PresenceState } from '@thingstead/contracts/presence';
import { change, checkAt } from './change.ts';
import { addEvidence, decide, type Evidence } from './evidence.ts';
import type { Ports } from './ports.ts';
import { nextState, timesOf, type Verdict } from './state.ts';

/** A last will needs so long to reach the shadow, and a device to report; what is wrong after that, nobody else mends. */
const SETTLE_MS = 30_000;

/**
 * Takes observations of one thing, in any order and any number of times, into its row. Where they contradict each other
 * within the error of their clocks, the broker is asked what is true.
 */
export async function observe(thing: string, observations: readonly Observation[], ports: Ports): Promise<void> {
  await change(thing, ports, async (row) => {
    const known = row?.presence;
    const evidence = addEvidence(known, observations);
    const told = decide(evidence);
    if (told !== undefined && known && !isNews(evidence, known)) return undefined;
    const verdict = told === undefined ? await ask(thing, ports) : verdictOf(evidence, told);
    await settleLater(thing, known, evidence, verdict, ports);
    if (known && !isNews(evidence, known) && known.connected === verdict.connected) return undefined;
    return { next: nextState(known, evidence, verdict, timesOf(row, ports.settings), ports.now()) };
  });
}

/** What the broker says, as a verdict. */
export async function ask(thing: string, { broker }: Ports): Promise<Verdict> {
  const { connected, since, reason } = await broker.connection(thing);
  return { connected, since, reason, lostAt: connected ? undefined : since, asked: true };
}

/** The row as the broker says that it should be. */
export function corrected(row: PresenceRow | undefined, verdict: Verdict, ports: Ports): PresenceState {
  const evidence = addEvidence(row?.presence, []);
  return nextState(row?.presence, evidence, verdict, timesOf(row, ports.settings), ports.now());
}

function isNews({ lifeCycle, shadow }: Evidence, known: PresenceState): boolean {
  return lifeCycle !== known.lifeCycle || shadow !== known.shadow;
}

/** Since the latest of the sources that say so. */
function verdictOf({ lifeCycle, shadow, broker, reason }: Evidence, connected: boolean): Verdict {
  const times = [lifeCycle, shadow, broker].flatMap((each) => (each?.connected === connected ? [each.at] : []));
  return { connected, since: Math.max(...times), reason: connected ? undefined : reason, asked: false };
}

/** Looks again when a last will has had its time, if the shadow says otherwise and the device cannot say it better. */
async function settleLater(
  thing: string,
  known: PresenceState | undefined,
  { lifeCycle, shadow }: Evidence,
  { connected, asked }: Verdict,
  ports: Ports,
): Promise<void> {
  const wrong = shadow !== undefined && shadow.connected !== connected;
  // Right after it connects a device has not reported yet, and will: nothing to mend.
  const mendable = wrong && (asked || !connected);
  // It was back for a moment, in an outage that is told already: no other check will come.
  const goneAgain =
    !connected && known?.outage?.notice !== undefined && known.lifeCycle?.session !== lifeCycle?.session;
  if (mendable || goneAgain) await checkAt(thing, { dueAt: ports.now() + SETTLE_MS }, ports);
}
