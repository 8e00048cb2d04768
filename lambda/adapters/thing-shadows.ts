import {
  ConflictException,
  GetThingShadowCommand,
  InvalidRequestException,
  type IoTDataPlaneClient,
  RequestEntityTooLargeException,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { ShadowState, Shadows, ShadowUpdate } from '../things/ports.ts';

const Section = v.optional(v.record(v.string(), v.unknown()));
const Document = v.object({
  state: v.object({ desired: Section, reported: Section, delta: Section }),
  version: v.number(),
  /** Epoch seconds. */
  timestamp: v.number(),
});

/** The classic shadows of things, for people who read and set their state. */
export class ThingShadows implements Shadows {
  readonly #client: IoTDataPlaneClient;
  readonly #once: IoTDataPlaneClient;

  /** `once` tries a call once: an update of a version whose answer was lost would meet its own effect, or have it twice. */
  constructor(client: IoTDataPlaneClient, once: IoTDataPlaneClient) {
    this.#client = client;
    this.#once = once;
  }

  async read(thingName: string): Promise<ShadowState | undefined> {
    try {
      const { payload } = await this.#client.send(new GetThingShadowCommand({ thingName }));
      const document: unknown = JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
      const { state, version, timestamp } = parseRow(Document, document, `the shadow of ${thingName}`);
      const { desired, reported, delta } = state;
      return {
        ...(desired && { desired }),
        ...(reported && { reported }),
        ...(delta && { delta }),
        version,
        at: timestamp * 1000,
      };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async desire(
    thingName: string,
    desired: Readonly<Record<string, unknown>>,
    version: number | undefined,
  ): Promise<ShadowUpdate> {
    // AWS does not say which version an update has to name when there is no shadow yet.
    const document = { state: { desired }, ...(version !== undefined && version > 0 && { version }) };
    const payload = Buffer.from(JSON.stringify(document));
    try {
      const client = version === undefined ? this.#client : this.#once;
      await client.send(new UpdateThingShadowCommand({ thingName, payload }));
      return 'done';
    } catch (error) {
      if (error instanceof ConflictException) return 'conflict';
      if (error instanceof RequestEntityTooLargeException) return 'too-large';
      if (error instanceof InvalidRequestException) return 'invalid';
      if (error instanceof ResourceNotFoundException) return 'no-such-thing';
      throw error;
    }
  }
}
