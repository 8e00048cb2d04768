/** A device that asks for pairing codes, as any MQTT client can: it subscribes to its answers, publishes, and waits. */
import type { PairingAccepted, PairingRejected } from '@thingstead/contracts/pairing';
import { pairingTopic } from '@thingstead/contracts/topics';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { nextAnswer } from '../../support/next-answer.ts';
import type { DeviceClient, Platform } from '../../support/platform.ts';

export type Answer = { readonly verdict: string } & Partial<PairingAccepted & PairingRejected>;

export interface PairingDevice {
  readonly thing: string;
  readonly client: DeviceClient;
  /** Asks, with this message or with a fresh id, and gives the next answer. */
  ask(message?: object | string): Promise<Answer>;
  /** Asks, and gives the code. @throws Error when there is none */
  code(): Promise<string>;
}

/** Connects a device; without keep-alive, so that it stays while the clock is advanced. */
export async function pairingDevice(platform: Platform, device: DeviceCertificate): Promise<PairingDevice> {
  const client = await platform.connect(device, { keepalive: 0 });
  const topic = pairingTopic(device.thing);
  await client.trySubscribe(`${topic}/+`);
  let asked = 0;

  async function ask(message: object | string = { id: `question-${asked++}` }): Promise<Answer> {
    const answer = nextAnswer<PairingAccepted & PairingRejected>(client, `${topic}/`);
    await client.tryPublish(topic, typeof message === 'string' ? message : JSON.stringify(message));
    return answer;
  }
  return {
    thing: device.thing,
    client,
    ask,
    async code() {
      const { code, ...others } = await ask();
      if (code === undefined) throw new Error(`${device.thing} got no code: ${JSON.stringify(others)}`);
      return code;
    },
  };
}
