import { type Client, pages } from '@thingstead/client';
import { type NewRollout, waveEnd } from '@thingstead/contracts/rollouts';

export interface Planned {
  readonly thing: string;
  /** Counted from 1; undefined: it is passed over. */
  readonly wave: number | undefined;
  readonly skip: string | undefined;
}

/** Who would get it, in their order, and who would not. */
export async function dryRun(api: Client, body: NewRollout, signal: AbortSignal): Promise<readonly Planned[]> {
  const found: { readonly thing: string; readonly order: string; readonly skip?: string | undefined }[] = [];
  for await (const { devices } of pages(api.dryRunRollout, { body, query: {} }, { signal })) found.push(...devices);
  const keyOf = ({ order, thing }: { readonly order: string; readonly thing: string }) => `${order}#${thing}`;
  found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const total = found.filter(({ skip }) => skip === undefined).length;
  const ends = body.waves.map((wave) => waveEnd(wave, total));
  // Those that are passed over come last in the order.
  return found.map(({ thing, skip }, at) => ({
    thing,
    wave: skip === undefined ? ends.findIndex((end) => at < end) + 1 : undefined,
    skip,
  }));
}
