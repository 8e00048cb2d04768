import {
  ConflictException,
  GetThingShadowCommand,
  type IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Shadows } from '../presence/ports.ts';

/** What a shadow may hold is up to its device; a document without this says nothing about the connection. */
const ShadowDocument = v.object({
  version: v.number(),
  state: v.object({ reported: v.object({ connected: v.boolean() }) }),
});

/** The classic shadows of things. */
export class IotShadows implements Shadows {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  async reported(thingName: string): Promise<{ readonly connected: boolean; readonly version: number } | undefined> {
    try {
      const { payload } = await this.#client.send(new GetThingShadowCommand({ thingName }));
      const document = validate(ShadowDocument, JSON.parse(Buffer.from(payload ?? []).toString('utf8')));
      if (!document.ok) return undefined;
      const { state, version } = document.value;
      return { connected: state.reported.connected, version };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async correct(thingName: string, connected: boolean, version: number): Promise<boolean> {
    const payload = Buffer.from(JSON.stringify({ state: { reported: { connected } }, version }));
    try {
      await this.#client.send(new UpdateThingShadowCommand({ thingName, payload }));
      return true;
    } catch (error) {
      if (error instanceof ConflictException) return false;
      throw error;
    }
  }
}
