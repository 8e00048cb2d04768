import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import { PROGRAM_PATH } from '../run-program.ts';
import type { SourceConfig } from '../sensors/source-config.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Every program, module and file that the configuration names: is it there, may the agent use it, and may nobody else change it. Runs nothing. */
export function checkHandlers({ sensors, commands, state, files, firmware, pairing }: AgentConfig): readonly Finding[] {
  const problems = [
    ...sensors.flatMap(({ name, source }) => lookAtSource(`sensors.${name}`, source)),
    ...Object.entries(commands).flatMap(([name, { run, module }]) => look(`commands.${name}`, run, module)),
    ...Object.entries(state).flatMap(([name, { run, module, file }]) => [
      ...look(`state.${name}`, run, module),
      ...(file === undefined ? [] : access(`state.${name}`, file, constants.W_OK)),
    ]),
    ...look('files.handler', files?.handler?.run, files?.handler?.module),
    ...look('firmware.healthCheck', firmware?.healthCheck?.command, undefined),
    ...look('pairing.show', pairing.show, undefined),
  ];
  const advice = 'what needs it fails: is it there, and may the user of the agent use it?';
  if (problems.length > 0) return problems.map((problem) => warn('handlers', problem, advice));
  return [ok('handlers', `${Object.keys(commands).length} commands, ${Object.keys(state).length} states`)];
}

function lookAtSource(key: string, source: SourceConfig): readonly string[] {
  if (source.kind === 'command') return look(key, source.command, undefined);
  return source.kind === 'file' ? access(key, source.path, constants.R_OK) : [];
}

function look(key: string, run: readonly string[] | undefined, module: string | undefined): readonly string[] {
  if (module !== undefined) return [...access(key, module, constants.R_OK), ...foreign(key, module)];
  const [program] = run ?? [];
  if (program === undefined) return [];
  if (program.includes('/')) return [...access(key, program, constants.X_OK), ...foreign(key, program)];
  const found = PROGRAM_PATH.split(':').some(
    (folder) => access(key, path.join(folder, program), constants.X_OK).length === 0,
  );
  return found ? [] : [`${key}: there is no program ${program} in ${PROGRAM_PATH}`];
}

function access(key: string, file: string, mode: number): readonly string[] {
  try {
    accessSync(file, mode);
    return [];
  } catch (error) {
    return [`${key}: ${messageOf(error)}`];
  }
}

/** Whoever can change it has the rights of the agent, its key among them. */
function foreign(key: string, file: string): readonly string[] {
  try {
    return (statSync(file).mode & 0o002) === 0 ? [] : [`${key}: everybody on this machine can change ${file}`];
  } catch {
    return [];
  }
}
