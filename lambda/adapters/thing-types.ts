import { DescribeThingTypeCommand, type IoTClient } from '@aws-sdk/client-iot';
import type { ThingTypes } from '../firmware/ports.ts';
import { found } from './iot-registry.ts';

/** Thing types in the registry of AWS IoT. */
export class RegistryThingTypes implements ThingTypes {
  readonly #client: IoTClient;

  constructor(client: IoTClient) {
    this.#client = client;
  }

  async has(thingTypeName: string): Promise<boolean> {
    return (await found(this.#client.send(new DescribeThingTypeCommand({ thingTypeName })))) !== undefined;
  }
}
