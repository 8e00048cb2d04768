import type { Description } from '@thingstead/contracts/onboarding';
import type { BoardInfo } from './board-info.ts';
import type { AgentConfig } from './config.ts';

/** More are not told of; their readings are stored all the same. */
const MAX_SENSORS = 32;

/** What can be commanded by voice, when the configuration says how it is applied. */
const VOICE = ['power', 'brightness'];

/**
 * What the device says of itself: the configuration's section `description`, and what that leaves out as the board says.
 *
 * @param version of the agent.
 * @param release that runs; it says more than the configuration, which stays when the release changes.
 */
export function describeDevice(
  { description, sensors, state }: Pick<AgentConfig, 'description' | 'sensors' | 'state'>,
  version: string,
  board: BoardInfo,
  release?: string,
): Omit<Description, 'id'> {
  return {
    model: description.model ?? attribute(board.model),
    hardwareRevision: description.hardwareRevision ?? attribute(board.hardwareRevision),
    serial: description.serial ?? attribute(board.serial),
    firmwareVersion: release ?? description.firmwareVersion ?? attribute(version),
    sensors: sensors.slice(0, MAX_SENSORS).map(({ name, unit }) => ({ name, ...(unit === undefined ? {} : { unit }) })),
    capabilities: [...new Set([...description.capabilities, ...VOICE.filter((name) => Object.hasOwn(state, name))])],
    ...(description.gateway === undefined ? {} : { gateway: description.gateway }),
  };
}

/** As the registry takes it, 128 letters without spaces: `Raspberry Pi 4 Model B Rev 1.4` has an underscore for each. */
function attribute(text: string | undefined): string {
  return text?.replace(/[^a-zA-Z0-9_.,@/:#=[\]-]+/g, '_').slice(0, 128) || 'unknown';
}
