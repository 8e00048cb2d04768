import { spawnSync } from 'node:child_process';
import path from 'node:path';

const command = path.resolve(__dirname, '../../cli/bin/thingstead.mjs');

/**
 * The operator's command as a process in `folder`, where it keeps what it keeps; gives the rows of each that succeeds.
 *
 * @throws Error with its words, of one that does not
 */
export function commandProcess(
  endpointsFile: string,
  folder: string,
): (...args: readonly string[]) => readonly Record<string, unknown>[] {
  return (...args) => {
    const all = [command, '--endpoints', endpointsFile, '--json', ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`thingstead ${args.join(' ')} exited with ${status}: ${stderr}`);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
}
