import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { CommandMessage } from '@thingstead/contracts/commands';
import { commandTopic } from '@thingstead/contracts/topics';
import type { CommandTopics } from '../command-deliveries/ports.ts';

/** Commands to devices, with QoS 1 and not retained: a retained one would come again on every connection for ever. */
export class DeviceCommandTopics implements CommandTopics {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  async publish(thing: string, message: CommandMessage): Promise<void> {
    const payload = Buffer.from(JSON.stringify(message));
    await this.#client.send(new PublishCommand({ topic: commandTopic(thing, message.id), qos: 1, payload }));
  }
}
