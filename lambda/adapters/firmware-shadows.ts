import {
  InvalidRequestException,
  type IoTDataPlaneClient,
  RequestEntityTooLargeException,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { type DesiredFirmware, FIRMWARE_SHADOW } from '@thingstead/contracts/firmware';
import type { FirmwareShadows } from '../rollouts/ports.ts';

/** The named shadows `firmware`: https://docs.aws.amazon.com/iot/latest/developerguide/iot-device-shadows.html */
export class NamedFirmwareShadows implements FirmwareShadows {
  readonly #client: IoTDataPlaneClient;

  constructor(client: IoTDataPlaneClient) {
    this.#client = client;
  }

  async desire(thingName: string, desired: DesiredFirmware): Promise<boolean> {
    const payload = Buffer.from(JSON.stringify({ state: { desired } }));
    try {
      await this.#client.send(new UpdateThingShadowCommand({ thingName, shadowName: FIRMWARE_SHADOW, payload }));
      return true;
    } catch (error) {
      const isRefused = [InvalidRequestException, RequestEntityTooLargeException, ResourceNotFoundException].some(
        (each) => error instanceof each,
      );
      if (isRefused) return false;
      throw error;
    }
  }
}
