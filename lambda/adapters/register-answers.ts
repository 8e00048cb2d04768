import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { DescriptionAccepted, DescriptionRejected, DeviceSettings } from '@thingstead/contracts/onboarding';
import { registerTopic } from '@thingstead/contracts/topics';
import type { Answers } from '../onboarding/ports.ts';

/** Answers to descriptions, with QoS 1. They are not retained: a device that missed its answer describes itself again. */
export class RegisterAnswers implements Answers {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  accepted(thing: string, id: string | undefined, settings: DeviceSettings): Promise<void> {
    return this.#publish(thing, 'accepted', { ...(id !== undefined && { id }), settings });
  }

  rejected(thing: string, id: string | undefined, reason: string): Promise<void> {
    return this.#publish(thing, 'rejected', { ...(id !== undefined && { id }), reason });
  }

  async #publish(
    thing: string,
    verdict: 'accepted' | 'rejected',
    answer: DescriptionAccepted | DescriptionRejected,
  ): Promise<void> {
    const payload = Buffer.from(JSON.stringify(answer));
    await this.#client.send(new PublishCommand({ topic: `${registerTopic(thing)}/${verdict}`, qos: 1, payload }));
  }
}
