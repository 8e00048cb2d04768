import {
  DeleteConnectionCommand,
  type IoTDataPlaneClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot-data-plane';
import type { Connections } from '../identity-policies/ports.ts';

/** Connections of people's apps at AWS IoT. https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_DeleteConnection.html */
export class AppConnections implements Connections {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  async end(clientId: string): Promise<void> {
    try {
      // A session that is kept would keep its subscriptions.
      await this.#client.send(new DeleteConnectionCommand({ clientId, cleanSession: true }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
  }
}
