/**
 * Hooks for harm: services ask at the points of points.ts whether a plan wants something harmed. Without a plan that is
 * one comparison.
 */
import type { Clock } from '../kernel/clock.ts';
import { ActiveFault } from './active-fault.ts';
import type { Facts, Fault, FaultPlan, HarmAt, Point } from './points.ts';

export interface Harm<P extends Point> {
  readonly do: HarmAt<P>;
  /** For `delay` and `reorder`: `release` is called when what is held back may pass. */
  hold(release: () => void): void;
}

export interface DrawOptions<P extends Point> {
  /** The harms that can be done here; all of the point if unset. A fault with another one does not match. */
  readonly harms?: readonly HarmAt<P>[];
  /** The faults with `now`, instead of those without. */
  readonly now?: boolean;
}

/** An execution environment, as something that can be crashed. */
export interface CrashableEnvironment {
  readonly functionName: string;
  crash(): void;
}

export interface FaultReport {
  readonly seed: number;
  /** The faults as they were given, with what became of them. */
  readonly faults: readonly (Partial<Fault> & { readonly matched: number; readonly harmed: number })[];
}

export class Faults {
  /** Execution environments by the access key that their code signs with. */
  readonly environments = new Map<string, CrashableEnvironment>();
  readonly #clock: Clock;
  readonly #onPlan: (() => void)[] = [];
  #seed = 0;
  #all: readonly ActiveFault[] = [];
  #byPoint: ReadonlyMap<Point, readonly ActiveFault[]> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts another plan in force. What the old one holds back passes now. */
  replace({ seed, faults }: FaultPlan): void {
    const old = this.#all;
    this.#seed = seed;
    this.#all = faults.map((fault, at) => new ActiveFault(fault, seed + at * 0x9e3779b1, this.#clock));
    this.#byPoint = faults.length === 0 ? undefined : Map.groupBy(this.#all, ({ fault }) => fault.at);
    for (const each of old) each.releaseAll();
    if (faults.some(({ now }) => now)) for (const each of this.#onPlan) each();
  }

  report(): FaultReport {
    const faults = this.#all.map(({ fault, matched, harmed }) => ({ ...given(fault), matched, harmed }));
    return { seed: this.#seed, faults };
  }

  /** `act` is called when a plan with a `now` comes: it draws for everything that exists. */
  onPlanForNow(act: () => void): void {
    this.#onPlan.push(act);
  }

  /**
   * The harm to do to something that passes a point; undefined for none. Every fault that matches counts it, the first
   * that is due does its harm.
   */
  draw<P extends Point>(point: P, facts: Facts<P>, { harms, now = false }: DrawOptions<P> = {}): Harm<P> | undefined {
    const active = this.#byPoint?.get(point);
    if (!active) return undefined;
    let striking: ActiveFault | undefined;
    for (const each of active) {
      const { do: harm, now: isForNow } = each.fault;
      if (isForNow !== now || (harms && !(harms as readonly string[]).includes(harm)) || !each.matches(facts)) continue;
      if (each.strikes(striking !== undefined)) striking = each;
    }
    const chosen = striking;
    // The plan's reader lets only harms of the point through.
    return chosen && { do: chosen.fault.do as HarmAt<P>, hold: (release) => chosen.hold(release) };
  }

  /** Something has passed a point: lets follow what was reordered behind it. */
  passed<P extends Point>(point: P, facts: Facts<P>): void {
    for (const each of this.#byPoint?.get(point) ?? []) if (each.matches(facts)) each.passed();
  }
}

/** Without the members that were left out. */
function given({ match, now, times, delaySeconds, ...rest }: Fault): Partial<Fault> {
  return {
    ...rest,
    ...(Object.keys(match).length > 0 && { match }),
    ...(times !== undefined && { times }),
    ...(delaySeconds !== undefined && { delaySeconds }),
    ...(now && { now }),
  };
}
