/** Rows of rollouts, with an eye on every write: what must not have happened is noted. */
import type { RolloutDeviceRow, RolloutEvent, RolloutRow } from '@thingstead/contracts/rollout-store';
import type { OfferChange, Written } from '../../lambda/rollouts/ports.ts';
import { RolloutRows } from '../support/rollout-rows.ts';
import type { Device } from './rollout-devices.ts';

/** Ticks that had begun may go on for so long after a rollout has been stopped. */
const OVERLAP_MS = 10_000;
/** What a decision takes, from counting to its being written. */
const RECENT_MS = 5_000;
/** Of a wave's devices, those that do not count for it. */
const UNCOUNTED = ['UNREACHED', 'CANCELLED', 'SKIPPED'];
const HOLDING = ['NOTIFIED', 'UPDATING', 'SOAKING'];
const ENDS = ['SUCCEEDED', 'SKIPPED', 'CANCELLED'];

/** What is true of the world. */
interface Truth {
  readonly now: number;
  readonly violations: string[];
  device(thing: string): Device;
}

export class WatchedRolloutRows extends RolloutRows {
  readonly starts: { readonly at: number; readonly rollout: string }[] = [];
  readonly #stopped = new Map<string, number>();
  readonly #truth: Truth;

  constructor(truth: Truth) {
    super();
    this.#truth = truth;
  }

  override write(was: RolloutDeviceRow, next: RolloutDeviceRow, offer?: OfferChange): Written {
    const written = super.write(was, next, offer);
    if (written !== 'written') return written;
    const { was: truly } = this.#truth.device(next.thing);
    const isSaid = next.said === undefined || truly.has(`${next.attempt} ${next.said}`);
    this.#must(isSaid, `${next.thing} has never said ${next.said} of its attempt`);
    if (was.state !== next.state) this.#watch(was, next);
    return written;
  }

  override advance(was: RolloutRow, next: RolloutRow, event?: RolloutEvent): boolean {
    const before = this.rollouts.get(was.id);
    const isDone = super.advance(was, next, event);
    if (isDone && before && before.state !== next.state) this.#advanced(before, next, event);
    if (isDone && before && before.wave < next.wave && event?.kind === 'wave') this.#begun(before);
    return isDone;
  }

  /** What has to be true at any time between two calls. */
  check(): void {
    const held = new Map<string, string>();
    for (const id of this.rollouts.keys()) {
      const counted: Record<string, number> = {};
      for (const row of this.all(id)) {
        const name = row.wave === undefined ? row.state : `${row.wave}#${row.state}`;
        counted[name] = (counted[name] ?? 0) + 1;
        if (!HOLDING.includes(row.state)) continue;
        this.#must(!held.has(row.thing), `${row.thing} is in ${held.get(row.thing)} and in ${id}`);
        held.set(row.thing, id);
        this.#must(this.offers.get(row.thing)?.attempt === row.attempt, `${row.thing} is offered something else`);
      }
      const counts = this.counts(id);
      for (const name of new Set([...Object.keys(counts), ...Object.keys(counted)])) {
        const [said = 0, real = 0] = [counts[name], counted[name]];
        this.#must(said === real, `${said} are counted as ${name}, there are ${real}`);
      }
    }
  }

  #watch(was: RolloutDeviceRow, next: RolloutDeviceRow): void {
    const { thing, rollout } = next;
    const { now } = this.#truth;
    const device = this.#truth.device(thing);
    if (next.state === 'SUCCEEDED') {
      const since = device.was.get(`${next.attempt} COMMITTED`) ?? Number.POSITIVE_INFINITY;
      const soakMs = 1000 * (this.rollouts.get(rollout)?.settings.health.soakSeconds ?? 0);
      this.#must(now >= since + soakMs, `${thing} is SUCCEEDED, and has not run the release for ${soakMs} ms`);
    }
    this.#must(!ENDS.includes(was.state), `${thing} went from ${was.state} to ${next.state}`);
    if (was.state === 'PENDING' && next.state === 'NOTIFIED') {
      this.starts.push({ at: now, rollout });
      const stopped = this.#stopped.get(rollout);
      this.#must(stopped === undefined || now < stopped + OVERLAP_MS, `${thing} was started after the end`);
    }
    if (was.state === 'NOTIFIED' && ['TIMED_OUT', 'UNREACHED'].includes(next.state)) {
      this.#must(device.desired?.attempt === was.attempt, `${thing} is ${next.state}, and was never told`);
    }
    if (next.state === 'UNREACHED') {
      this.#must(!device.connected || next.changedAt < now, `${thing} is connected, and UNREACHED`);
    }
  }

  #advanced(was: RolloutRow, next: RolloutRow, event: RolloutEvent | undefined): void {
    if (next.state === 'RUNNING') this.#stopped.delete(next.id);
    else if (was.state === 'RUNNING') this.#stopped.set(next.id, this.#truth.now);
    this.#must(event !== undefined, `${next.id} is ${next.state}, and nobody says why`);
    this.#must(was.state !== 'ABORTED', `${next.id} went from ABORTED to ${next.state}`);
  }

  /** The wave before has to have reached what is asked for; of whom came back while that was counted, nothing is known. */
  #begun({ id, wave, settings }: RolloutRow): void {
    const rows = this.all(id).filter((row) => row.wave === wave && !UNCOUNTED.includes(row.state));
    const known = rows.filter(
      ({ state, changedAt }) => state === 'SUCCEEDED' || changedAt < this.#truth.now - RECENT_MS,
    );
    const succeeded = known.filter(({ state }) => state === 'SUCCEEDED').length;
    const isReached = 100 * succeeded >= settings.successPercent * known.length;
    this.#must(isReached, `${id} goes on after wave ${wave + 1} with ${succeeded} of ${known.length}`);
  }

  #must(holds: boolean, otherwise: string): void {
    if (!holds) this.#truth.violations.push(otherwise);
  }
}
