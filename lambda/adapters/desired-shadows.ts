import {
  ConflictException,
  GetThingShadowCommand,
  type IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Sample } from '../alexa/properties.ts';
import type { DesiredShadows, ShadowDocument } from '../voice/ports.ts';

const Members = v.optional(v.record(v.string(), v.unknown()), {});
const Section = v.optional(v.object({ desired: Members, reported: Members }), {});
const Document = v.object({ version: v.number(), state: Section, metadata: Section });
const Accepted = v.object({ timestamp: v.number() });
const Stamp = v.object({ timestamp: v.number() });

/** Classic shadows, to read and to ask of. */
export class IotDesiredShadows implements DesiredShadows {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  async read(thingName: string): Promise<ShadowDocument | undefined> {
    try {
      const { payload } = await this.#client.send(new GetThingShadowCommand({ thingName }));
      const { version, state, metadata } = parseRow(Document, parse(payload), `the shadow of ${thingName}`);
      return {
        version,
        reported: samples(state.reported, metadata.reported),
        desired: samples(state.desired, metadata.desired),
      };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async setDesired(
    thingName: string,
    member: string,
    value: unknown,
    version: number | undefined,
  ): Promise<number | undefined> {
    const state = { desired: { [member]: value ?? null } };
    const update = Buffer.from(JSON.stringify({ state, ...(version !== undefined && { version }) }));
    try {
      const { payload } = await this.#client.send(new UpdateThingShadowCommand({ thingName, payload: update }));
      return parseRow(Accepted, parse(payload), `the answer for ${thingName}`).timestamp * 1000;
    } catch (error) {
      if (error instanceof ConflictException) return undefined;
      throw error;
    }
  }
}

function parse(payload: Uint8Array | undefined): unknown {
  return JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
}

/** Members that are objects have times for their members only, and mean nothing to Alexa. */
function samples(
  members: Readonly<Record<string, unknown>>,
  metadata: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, Sample> {
  const read = Object.entries(members).flatMap(([name, value]): [string, Sample][] => {
    const stamp = v.safeParse(Stamp, metadata[name]);
    return stamp.success ? [[name, { value, at: stamp.output.timestamp * 1000 }]] : [];
  });
  return new Map(read);
}
