import {
  GetConnectionCommand,
  type IoTDataPlaneClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot-data-plane';
import type { Broker, Connection } from '../presence/ports.ts';

/** The message broker of AWS IoT. https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_GetConnection.html */
export class IotBroker implements Broker {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  async connection(clientId: string): Promise<Connection> {
    try {
      const answer = await this.#client.send(new GetConnectionCommand({ clientId }));
      const connected = answer.connected ?? false;
      const since = connected ? answer.connectedSince : answer.disconnectedSince;
      return { connected, since, reason: answer.disconnectReason };
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      return { connected: false, since: undefined, reason: undefined };
    }
  }
}
