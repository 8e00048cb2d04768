import { DescribeThingCommand, type IoTClient, UpdateThingCommand } from '@aws-sdk/client-iot';
import type { RegisteredThing, Registry } from '../onboarding/ports.ts';
import { found } from './iot-registry.ts';

/** The registry of AWS IoT, as far as on-boarding needs it. */
export class ThingAttributes implements Registry {
  readonly #client: IoTClient;

  constructor(client: IoTClient) {
    this.#client = client;
  }

  async thing(thingName: string): Promise<RegisteredThing | undefined> {
    const answer = await found(this.#client.send(new DescribeThingCommand({ thingName })));
    return answer && { type: answer.thingTypeName, attributes: answer.attributes ?? {} };
  }

  async setAttributes(thingName: string, attributes: Readonly<Record<string, string>>): Promise<void> {
    const attributePayload = { attributes: { ...attributes }, merge: true };
    await this.#client.send(new UpdateThingCommand({ thingName, attributePayload }));
  }
}
