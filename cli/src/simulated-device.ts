import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const AGENT = fileURLToPath(new URL('../../device/bin/thingstead-agent.mjs', import.meta.url));

/** The device agent in a process of its own, with what its log says counted. The events are listed in device/README.md. */
export class SimulatedDevice {
  readonly thing: string;
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  refused = 0;
  joined = false;
  messages = 0;
  readings = 0;
  /** The last thing that went wrong, in the agent's words. */
  problem = '';

  constructor(thing: string, configFile: string, onJoined: (device: SimulatedDevice) => void) {
    this.thing = thing;
    this.#process = spawn(process.execPath, [AGENT, '--config', configFile, 'run'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = once(this.#process, 'close').then(() => {});
    const { stdout, stderr } = this.#process;
    if (stdout) createInterface(stdout).on('line', (line) => this.#note(line, onJoined));
    stderr?.on('data', (chunk) => {
      this.problem = String(chunk).trim();
    });
  }

  /** Tells the agent to send what waits and to say goodbye. */
  stop(): void {
    this.#process.kill('SIGTERM');
  }

  #note(line: string, onJoined: (device: SimulatedDevice) => void): void {
    const { event, readings, message, reason } = JSON.parse(line);
    if (event === 'connection.waiting_for_activation') this.refused += 1;
    if (event === 'telemetry.published') {
      this.messages += 1;
      this.readings += Number(readings);
    }
    if (event === 'connection.connected' && !this.joined) {
      this.joined = true;
      onJoined(this);
    } else if (reason !== undefined) {
      this.problem = `${event}: ${message ?? reason}`;
    }
  }
}
