/** One thing and everyone who has, had or never had anything to do with it. */
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { newPerson, type Person } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { type PairingDevice, pairingDevice } from '../pairing/pairing-device.ts';

/** Those who sign in. */
export const PEOPLE = ['stranger', 'exOwner', 'viewer', 'controller', 'owner', 'support', 'operator'] as const;
export type Character = (typeof PEOPLE)[number];

export type Cast = Readonly<Record<Character, Person>>;

/** Signs everybody in. */
export async function signIn(platform: Platform): Promise<Cast> {
  const people = await Promise.all(
    PEOPLE.map(async (name) => {
      const groups = name === 'support' || name === 'operator' ? ([name] as const) : [];
      return [name, await newPerson(platform, { groups })] as const;
    }),
  );
  return Object.fromEntries(people) as Cast;
}

/** Makes things that are paired and shared, each for one test. */
export async function fixtures(platform: Platform, cast: Cast) {
  const ca = await createCa(unique('people'));
  await platform.registerCa(ca);

  let made = 0;
  const next = (): number => {
    made += 1;
    return made;
  };

  async function device(): Promise<DeviceCertificate> {
    const certificate = await issue(ca, unique(`thing${next()}`));
    await platform.join(certificate);
    return certificate;
  }

  /** Somebody else's thing, with its code as its screen shows it. */
  async function pair(device: PairingDevice, owner: Person): Promise<void> {
    const { status, body } = await owner.call('POST', '/pairings', { code: await device.code() });
    if (status !== 201) throw new Error(`pairing answered ${status}: ${JSON.stringify(body)}`);
  }

  async function share(thing: string, role: string, to: Person): Promise<void> {
    const { body } = await cast.owner.call('POST', `/things/${thing}/invitations`, { role });
    const { status } = await to.call('POST', '/invitations', { token: body.token });
    if (status !== 201) throw new Error(`accepting an invitation answered ${status}`);
  }

  return {
    device,
    pair,
    /** First the ex-owner's, then the owner's, who shares it with viewer and controller. */
    async thing(): Promise<DeviceCertificate> {
      const certificate = await device();
      const { thing } = certificate;
      const pairing = await pairingDevice(platform, certificate);
      await pair(pairing, cast.exOwner);
      const { status } = await cast.exOwner.call('DELETE', `/things/${thing}/grant`);
      if (status !== 204) throw new Error(`giving up answered ${status}`);
      await pair(pairing, cast.owner);
      await share(thing, 'viewer', cast.viewer);
      await share(thing, 'controller', cast.controller);
      await pairing.client.endAsync();
      return certificate;
    },
    /** The owner's, shared with viewer and controller; once the ex-owner's. */
    async site(): Promise<string> {
      const site = unique(`site${next()}`);
      for (const owner of [cast.exOwner, cast.owner]) {
        const { status } = await cast.operator.call('PUT', `/operator/sites/${site}`, { owner: owner.person });
        if (status !== 200) throw new Error(`making a site answered ${status}`);
      }
      for (const role of ['viewer', 'controller'] as const) {
        const { body } = await cast.owner.call('POST', `/sites/${site}/invitations`, { role });
        const { status } = await cast[role].call('POST', '/invitations', { token: body.token });
        if (status !== 201) throw new Error(`accepting an invitation answered ${status}`);
      }
      return site;
    },
  };
}
