import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { PairingAccepted, PairingRejected } from '@thingstead/contracts/pairing';
import { pairingTopic } from '@thingstead/contracts/topics';
import type { Answers, Rejection } from '../pairing-codes/ports.ts';

/** Answers to requests for codes, with QoS 1. They are not retained: a code is for who asked, and only now. */
export class PairingAnswers implements Answers {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  accepted(thing: string, id: string | undefined, code: string, expiresAt: number): Promise<void> {
    return this.#publish(thing, 'accepted', { ...(id !== undefined && { id }), code, expiresAt });
  }

  rejected(thing: string, id: string | undefined, error: Rejection, reason: string): Promise<void> {
    return this.#publish(thing, 'rejected', { ...(id !== undefined && { id }), error, reason });
  }

  async #publish(thing: string, verdict: string, answer: PairingAccepted | PairingRejected): Promise<void> {
    const payload = Buffer.from(JSON.stringify(answer));
    await this.#client.send(new PublishCommand({ topic: `${pairingTopic(thing)}/${verdict}`, qos: 1, payload }));
  }
}
