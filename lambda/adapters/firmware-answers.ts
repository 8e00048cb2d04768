import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { FirmwareAnswer, FirmwareRejection } from '@thingstead/contracts/firmware';
import { firmwareTopic } from '@thingstead/contracts/topics';
import type { Answers } from '../firmware-devices/ports.ts';

/** Answers to what devices say of their firmware, with QoS 1. They are not retained: a device that missed one asks again. */
export class FirmwareAnswers implements Answers {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  accepted(thing: string, attempt: string, answer: FirmwareAnswer): Promise<void> {
    return this.#publish(`${firmwareTopic(thing, attempt)}/accepted`, answer);
  }

  rejected(thing: string, attempt: string, rejection: FirmwareRejection): Promise<void> {
    return this.#publish(`${firmwareTopic(thing, attempt)}/rejected`, rejection);
  }

  async #publish(topic: string, answer: FirmwareAnswer | FirmwareRejection): Promise<void> {
    const payload = Buffer.from(JSON.stringify(answer));
    await this.#client.send(new PublishCommand({ topic, qos: 1, payload }));
  }
}
