import {
  GetThingShadowCommand,
  type IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import type { Shadows } from '../onboarding/ports.ts';

/** The classic shadows of things that may have none yet. */
export class FirstShadows implements Shadows {
  readonly #client: IoTDataPlaneClient;
  readonly #once: IoTDataPlaneClient;

  /** `once` tries a call once: a shadow whose answer was lost is not written a second time. */
  constructor(client: IoTDataPlaneClient, once: IoTDataPlaneClient) {
    this.#client = client;
    this.#once = once;
  }

  /**
   * AWS does not say which `version` stands for a shadow that is not there (and a deleted one goes on counting), so the update
   * names none. If the device makes its shadow between the two calls, these members are merged into it; none of its own change.
   */
  async createIfNone(thingName: string, reported: Readonly<Record<string, string>>): Promise<void> {
    try {
      await this.#client.send(new GetThingShadowCommand({ thingName }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      const payload = Buffer.from(JSON.stringify({ state: { reported } }));
      await this.#once.send(new UpdateThingShadowCommand({ thingName, payload }));
    }
  }
}
