/** The real device agent with a certificate of the test, against the deployed platform. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AgentProcess, type AgentProcessOptions, startAgentProcess } from './agent-process.ts';
import type { DeviceCertificate } from './certificates.ts';
import type { Platform } from './platform.ts';

export interface PlatformAgents {
  /** Starts the agent of a device; again with the same state when it has run before. `change` replaces configuration. */
  start(
    device: DeviceCertificate,
    change?: Readonly<Record<string, unknown>>,
    options?: AgentProcessOptions,
  ): AgentProcess;
  /** Runs another command beside the agent that was started for the device. */
  command(device: DeviceCertificate, ...args: readonly string[]): AgentProcess;
  /** Runs `thingstead-agent pair` beside the agent that was started for the device; gives the code that it shows. */
  pairingCode(device: DeviceCertificate): Promise<string>;
  /** Ends those that still run. */
  kill(): Promise<void>;
  /** Removes everything they have left. */
  remove(): void;
}

export function platformAgents({ mqtt: { host, port, rootCaFile } }: Pick<Platform, 'mqtt'>): PlatformAgents {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-agents-'));
  const running: AgentProcess[] = [];
  const command: PlatformAgents['command'] = ({ thing }, ...args) =>
    startAgentProcess(['--config', path.join(folder, `${thing}.json`), ...args]);
  return {
    command,
    start({ thing, pem, keyPem }, change = {}, options = {}) {
      const file = (ending: string): string => path.join(folder, `${thing}.${ending}`);
      writeFileSync(file('crt'), pem);
      writeFileSync(file('key'), keyPem, { mode: 0o600 });
      const config = {
        thing,
        endpoint: { host, port },
        certificateFile: file('crt'),
        privateKeyFile: file('key'),
        rootCaFile,
        sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 60 }],
        // Whatever ends a connection, the next attempt follows at once.
        reconnect: { baseSeconds: 0.1, capSeconds: 0.2 },
        ...change,
      };
      writeFileSync(file('json'), JSON.stringify(config));
      const agent = startAgentProcess(['--config', file('json'), 'run'], options);
      running.push(agent);
      return agent;
    },
    async pairingCode(device) {
      const asked = command(device, 'pair', '--json');
      const { code } = await asked.exited;
      if (code !== 0) throw new Error(`thingstead-agent pair ended with ${code}:\n${asked.output()}`);
      return JSON.parse(asked.output()).code;
    },
    async kill() {
      for (const { process } of running) process.kill('SIGKILL');
      await Promise.all(running.splice(0).map(({ exited }) => exited));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
