import { targetOfKey } from '@thingstead/contracts/grants';
import type { Ports as PairingPorts } from '../pairing/ports.ts';
import { leave } from '../pairing/sharing.ts';
import type { Possessions } from './ports.ts';

/** What a person has, and how it ends: as when they leave one thing after the other. */
export function possessionsBy(ports: Pick<PairingPorts, 'rows' | 'reports'>): Possessions {
  return {
    async targets(person) {
      const grants = await ports.rows.grants(person);
      return grants.map(({ target, role }) => ({ target: targetOfKey(target), owned: role === 'owner' }));
    },
    async leave(person, target) {
      const left = await leave(person, target, ports);
      // What is not there, or is over, needs not be left.
      if (left.ok || left.status !== 409 || target.kind === 'thing') return { ok: true };
      return { ok: false, detail: left.detail };
    },
  };
}
