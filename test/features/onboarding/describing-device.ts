/** A device that describes itself, as any MQTT client can: it subscribes to its answers, publishes, and waits. */
import type { DescriptionAccepted, DescriptionRejected } from '@thingstead/contracts/onboarding';
import { registerTopic } from '@thingstead/contracts/topics';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { nextAnswer } from '../../support/next-answer.ts';
import type { DeviceClient, Platform } from '../../support/platform.ts';

export type Answer = { readonly verdict: string } & Partial<DescriptionAccepted & DescriptionRejected>;

export interface DescribingDevice {
  readonly client: DeviceClient;
  /** Sends a description, or any text, and gives the next answer. */
  describe(message: object | string): Promise<Answer>;
}

export async function describingDevice(platform: Platform, device: DeviceCertificate): Promise<DescribingDevice> {
  // The clock may be advanced by half an hour before the connection counts as lost.
  const client = await platform.connect(device, { keepalive: 1200 });
  const topic = registerTopic(device.thing);
  await client.trySubscribe(`${topic}/+`);
  return {
    client,
    async describe(message) {
      const answer = nextAnswer<DescriptionAccepted & DescriptionRejected>(client, `${topic}/`);
      await client.tryPublish(topic, typeof message === 'string' ? message : JSON.stringify(message));
      return answer;
    },
  };
}

/** What a weather station says of itself. */
export const STATION = {
  model: 'weather-station',
  hardwareRevision: 'B',
  serial: 'WS-0042',
  firmwareVersion: '1.4.0',
  sensors: [{ name: 'temperature', unit: 'Cel' }, { name: 'rain' }],
} as const;
