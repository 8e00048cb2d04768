/** The plan of harm of a local runtime, with the types of its points. */
import type { Facts, HarmAt, Point } from '../../local/src/faults/points.ts';

/** A fault as `POST /_local/faults` takes it. docs/testing.md has the table. */
export type FaultOf<P extends Point> = {
  readonly at: P;
  readonly do: HarmAt<P>;
  readonly match?: Partial<Facts<P>>;
  readonly probability?: number;
  readonly skip?: number;
  readonly times?: number;
  readonly delaySeconds?: number;
  readonly now?: P extends 'connection' ? boolean : never;
};
export type Fault = { [P in Point]: FaultOf<P> }[Point];

export interface FaultReport {
  readonly seed: number;
  readonly faults: readonly (Fault & { readonly matched: number; readonly harmed: number })[];
}

/** Replaces the plan of the runtime at this endpoint; an empty list ends all harm. */
export async function postFaults(endpoint: string, faults: readonly Fault[], seed?: number): Promise<FaultReport> {
  const body = JSON.stringify({ ...(seed !== undefined && { seed }), faults });
  return read(await fetch(`${endpoint}/_local/faults`, { method: 'POST', body }));
}

/** What has become of the plan. */
export async function getFaults(endpoint: string): Promise<FaultReport> {
  return read(await fetch(`${endpoint}/_local/faults`));
}

async function read(response: Response): Promise<FaultReport> {
  if (!response.ok) throw new Error(`/_local/faults answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as FaultReport;
}
