import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { FileAnswer, FileRejection } from '@thingstead/contracts/files';
import { filesTopic } from '@thingstead/contracts/topics';
import type { Answers } from '../file-transfers/ports.ts';

/** What devices are told of transfers, with QoS 1. Never retained: keys are in it. */
export class FileAnswers implements Answers {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  accepted(thing: string, transfer: string, answer: FileAnswer): Promise<void> {
    return this.#publish(`${filesTopic(thing, transfer)}/accepted`, answer);
  }

  rejected(thing: string, transfer: string, rejection: FileRejection): Promise<void> {
    return this.#publish(`${filesTopic(thing, transfer)}/rejected`, rejection);
  }

  async #publish(topic: string, message: FileAnswer | FileRejection): Promise<void> {
    await this.#client.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(message)) }));
  }
}
