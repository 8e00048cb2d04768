/** Composes what speaks with the cloud beside the readings, as far as the configuration asks for it. */
import path from 'node:path';
import type { Clock } from './clock.ts';
import { commandHandlers } from './commands/command-handlers.ts';
import { CommandMemory } from './commands/command-memory.ts';
import { CommandRunner } from './commands/command-runner.ts';
import { CommandSession } from './commands/command-session.ts';
import { CommandStore } from './commands/command-store.ts';
import type { AgentConfig } from './config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';
import { createAppliers } from './desired-state/appliers.ts';
import { DesiredState } from './desired-state/desired-state.ts';
import type { FileTransfers } from './files/file-transfers.ts';
import type { Firmware, FirmwareOptions } from './firmware/open-firmware.ts';
import { runningOnly } from './firmware/running-only.ts';
import type { Log } from './log.ts';
import { nodeFileSystem } from './node-file-system.ts';
import type { SessionPart } from './session-part.ts';

export interface PartsOptions {
  readonly config: AgentConfig;
  /** Where state is kept on the disk; there is none when `outbox.memory` is set. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The parts, each at work already with what an earlier process has left. */
export function openParts(options: PartsOptions): readonly SessionPart[] {
  return [openCommands(options), ...desiredState(options)];
}

/** Absent without `files` in the configuration. Loaded only then, for the sake of the memory. */
export async function openFileTransfers(options: PartsOptions): Promise<FileTransfers | undefined> {
  const { config, ...rest } = options;
  if (!config.files) return undefined;
  const { openFiles } = await import('./files/open-files.ts');
  return openFiles({ thing: config.thing, config: config.files, ...rest });
}

/** Without `firmware` in the configuration, and without a disk that takes it, the agent only says what it runs. */
export async function openUpdates(
  { config, folder, clock, log }: PartsOptions,
  about: Pick<FirmwareOptions, 'hardwareRevision' | 'version' | 'environment' | 'end'>,
): Promise<Firmware> {
  const { thing, firmware } = config;
  const options = { thing, folder, clock, log, ...about };
  if (!firmware) return runningOnly(options);
  try {
    const { openFirmware } = await import('./firmware/open-firmware.ts');
    return await openFirmware({ ...options, config: firmware });
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    log.error('firmware.off', { message: 'no updates are taken', reason: messageOf(error) });
    return runningOnly(options);
  }
}

function openCommands({ config: { thing, commands, outbox }, folder, clock, log }: PartsOptions): SessionPart {
  const store = outbox.memory ? {} : { store: new CommandStore(nodeFileSystem, path.join(folder, 'commands')) };
  const memory = new CommandMemory({ ...store, clock, log });
  const runner = new CommandRunner({ handlers: commandHandlers(commands, clock), memory, clock, log });
  const part = new CommandSession({ thing, runner, clock, log });
  runner.start();
  return part;
}

/** Nothing is subscribed for it without members. */
function desiredState({ config: { thing, state }, clock, log }: PartsOptions): readonly SessionPart[] {
  const appliers = createAppliers(state, clock);
  return appliers.size === 0 ? [] : [new DesiredState({ thing, appliers, clock, log })];
}
