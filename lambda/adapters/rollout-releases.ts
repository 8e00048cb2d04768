import type { ReleaseRow } from '@thingstead/contracts/firmware-store';
import type { RolloutRelease } from '@thingstead/contracts/rollout-store';
import type { Releases as ReleaseRows } from '../firmware/ports.ts';
import type { Releases } from '../rollouts/ports.ts';

/** Releases, as far as rollouts go by them. */
export class RolloutReleases implements Releases {
  readonly #rows: Pick<ReleaseRows, 'read' | 'current' | 'makeCurrent'>;

  constructor(rows: Pick<ReleaseRows, 'read' | 'current' | 'makeCurrent'>) {
    this.#rows = rows;
  }

  async find(product: string, counter: number): Promise<(RolloutRelease & { readonly state: string }) | undefined> {
    const row = await this.#rows.read(product, counter);
    return row && { ...releaseOf(row), state: row.state };
  }

  /** The current release of a product, unless it was withdrawn. */
  async current(product: string): Promise<RolloutRelease | undefined> {
    const current = await this.#rows.current(product);
    const row = current && (await this.#rows.read(product, current.counter));
    return row?.state === 'PUBLISHED' ? releaseOf(row) : undefined;
  }

  async makeCurrent(product: string, counter: number, rollout: string, changedAt: number): Promise<void> {
    const current = await this.#rows.current(product);
    if (current && current.counter >= counter) return;
    await this.#rows.makeCurrent({ product, counter, changedAt, changedBy: `rollout#${rollout}` });
  }
}

function releaseOf({ manifest }: ReleaseRow): RolloutRelease {
  const { product, version, counter, minimumCounter, hardwareRevisions, size, expiresAt } = manifest;
  return { product, version, counter, minimumCounter, hardwareRevisions, size, expiresAt };
}
