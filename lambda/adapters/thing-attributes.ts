import {
  DescribeThingCommand,
  type IoTClient,
  UpdateThingCommand,
  VersionConflictException,
} from '@aws-sdk/client-iot';
import type { RegisteredThing, Registry } from '../onboarding/ports.ts';
import { found, IncompleteAnswerError } from './iot-registry.ts';

/** The registry of AWS IoT, as far as on-boarding needs it. */
export class ThingAttributes implements Registry {
  readonly #client: IoTClient;

  constructor(client: IoTClient) {
    this.#client = client;
  }

  async thing(thingName: string): Promise<RegisteredThing | undefined> {
    const answer = await found(this.#client.send(new DescribeThingCommand({ thingName })));
    if (!answer) return undefined;
    const { thingTypeName: type, attributes = {}, version } = answer;
    if (version === undefined) throw new IncompleteAnswerError(`DescribeThing of ${thingName}`);
    return { type, attributes, version };
  }

  async setAttributes(
    thingName: string,
    attributes: Readonly<Record<string, string>>,
    expectedVersion: number,
  ): Promise<boolean> {
    const attributePayload = { attributes: { ...attributes }, merge: true };
    try {
      await this.#client.send(new UpdateThingCommand({ thingName, attributePayload, expectedVersion }));
      return true;
    } catch (error) {
      if (error instanceof VersionConflictException) return false;
      throw error;
    }
  }
}
