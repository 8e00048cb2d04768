/** Connections that come and go: what the presence function makes of them. */
import { type CertificateAuthority, createCa, issue } from '../../support/certificates.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { anonymous, type Scenario } from './scenario.ts';

const authorities = new WeakMap<Platform, Promise<CertificateAuthority>>();

function authorityOf(platform: Platform): Promise<CertificateAuthority> {
  const known = authorities.get(platform);
  if (known) return known;
  const made = createCa(unique('presence')).then(async (ca) => {
    await platform.registerCa(ca);
    return ca;
  });
  authorities.set(platform, made);
  return made;
}

async function outcomeOf(platform: Platform, thing: string): Promise<unknown> {
  const outcome = {
    presence: (await platform.thingRow(thing))?.presence,
    failed: await platform.messagesIn('thingstead-presence-failed', 'thingstead-presence-errors'),
  };
  // Whether the broker was asked on the way, and in how many writes it came about, does not matter.
  const leaveOut = ['at', 'broker', 'dueAt', 'id', 'revision', 'session', 'since'];
  return anonymous(outcome, { [thing]: 'thing' }, leaveOut);
}

export const presenceScenarios: readonly Scenario[] = [
  {
    title: 'a device that connects and is lost',
    functionName: 'thingstead-presence',
    // A message comes again when its visibility timeout of six minutes is over.
    settleSeconds: 420,
    expected: { presence: { connected: false, reason: 'CONNECTION_LOST', outage: {} }, failed: 0 },
    async begin(platform, run) {
      const thing = unique(`lost${run}`);
      const device = await issue(await authorityOf(platform), thing);
      await platform.join(device);
      await platform.idle();
      return {
        async act() {
          const client = await platform.connect(device);
          await platform.idle();
          await platform.lose(client);
          await platform.idle();
        },
        outcome: () => outcomeOf(platform, thing),
      };
    },
  },
];
