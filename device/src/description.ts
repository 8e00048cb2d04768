import type { Description } from '@thingstead/contracts/onboarding';
import type { BoardInfo } from './board-info.ts';
import type { AgentConfig } from './config.ts';

/** More are not told of; their readings are stored all the same. */
const MAX_SENSORS = 32;

/**
 * What the device says of itself: the configuration's section `description`, and what that leaves out as the board says.
 *
 * @param version of the agent.
 */
export function describeDevice(
  { description, sensors }: Pick<AgentConfig, 'description' | 'sensors'>,
  version: string,
  board: BoardInfo,
): Omit<Description, 'id'> {
  return {
    model: description.model ?? attribute(board.model),
    hardwareRevision: description.hardwareRevision ?? attribute(board.hardwareRevision),
    serial: description.serial ?? attribute(board.serial),
    firmwareVersion: description.firmwareVersion ?? attribute(version),
    sensors: sensors.slice(0, MAX_SENSORS).map(({ name, unit }) => ({ name, ...(unit === undefined ? {} : { unit }) })),
    capabilities: description.capabilities,
    ...(description.gateway === undefined ? {} : { gateway: description.gateway }),
  };
}

/** As the registry takes it, 128 letters without spaces: `Raspberry Pi 4 Model B Rev 1.4` has an underscore for each. */
function attribute(text: string | undefined): string {
  return text?.replace(/[^a-zA-Z0-9_.,@/:#=[\]-]+/g, '_').slice(0, 128) || 'unknown';
}
