import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { CertificateAnswer, CertificateRejection } from '@thingstead/contracts/certificates';
import { certificateTopic } from '@thingstead/contracts/topics';
import type { Answers } from '../certificate-renewals/ports.ts';

/** Answers to requests for certificates, with QoS 1. They are not retained: a device that missed its answer asks again. */
export class CertificateAnswers implements Answers {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  accepted(thing: string, answer: CertificateAnswer): Promise<void> {
    return this.#publish(`${certificateTopic(thing)}/accepted`, answer);
  }

  rejected(thing: string, rejection: CertificateRejection): Promise<void> {
    return this.#publish(`${certificateTopic(thing)}/rejected`, rejection);
  }

  async #publish(topic: string, answer: CertificateAnswer | CertificateRejection): Promise<void> {
    await this.#client.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(answer)) }));
  }
}
