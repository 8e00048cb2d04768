/** The launcher with small versions in its slots, as real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { nodeFirmwareFileSystem as fs } from '../../device/src/firmware/node-firmware-file-system.ts';
import { BootRecord } from '../../device/src/launcher/boot-record.ts';
import { bundleProgram } from '../../scripts/package-agent/bundle.ts';
import { UpdatingCloud, type Version } from './agent-firmware-cloud.ts';
import { firstTrust } from './agent-firmware-world.ts';
import { image } from './firmware-image.ts';

const root = path.resolve(__dirname, '../..');
const PROGRAM = 'bin/thingstead-agent';

/** Launcher and versions as one JavaScript file each: they start many times. */
export class Programs {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'thingstead-programs-'));
  readonly launcher = path.join(this.folder, 'launcher.mjs');
  readonly #app = path.join(this.folder, 'app.mjs');

  async bundle(): Promise<void> {
    await bundleProgram(root, 'device/bin/thingstead-launcher.mjs', this.launcher);
    await bundleProgram(root, 'test/unit/agent-firmware-app.ts', this.#app);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param behaviour a line of shell, or a behaviour of agent-firmware-app.ts. */
  version(counter: number, behaviour: string): Version {
    const content = image([{ name: `app/${PROGRAM}`, data: this.script(counter, behaviour), executable: true }]);
    return { attempt: attemptOf(counter), counter, content };
  }

  script(counter: number, behaviour: string): string {
    const app = `exec '${process.execPath}' '${this.#app}' ${counter} ${behaviour}`;
    return `#!/bin/sh\n# version ${counter}\n${behaviour.includes(' ') ? behaviour : app}\n`;
  }
}

export function attemptOf(counter: number): string {
  return `01J${String(counter).padStart(23, '0')}`;
}

export interface DeviceSettings {
  /** So long a start may take to be found good, in seconds; and a version may be silent. */
  readonly trial: number;
  readonly silence: number;
}

/** A device whose processes are started and killed by the test; its disk stays. */
export class Device {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'thingstead-slots-'));
  readonly cloud: UpdatingCloud = new UpdatingCloud(() => this.changes.emit('change'));
  /** `change`: something was heard, or said. */
  readonly changes = new EventEmitter();
  /** What the launchers have said, and strace. */
  readonly lines: string[] = [];
  /** How often each attempt was started on trial. */
  readonly trials = new Map<string, number>();
  readonly record = new BootRecord(fs, path.join(this.folder, 'slots'));
  readonly #programs: Programs;
  #launched: ChildProcess | undefined;

  constructor(programs: Programs, behaviour = 'works') {
    this.#programs = programs;
    for (const name of ['state', 'slots', 'factory/bin']) mkdirSync(path.join(this.folder, name), { recursive: true });
    writeFileSync(path.join(this.folder, 'trust.json'), JSON.stringify(firstTrust));
    const program = path.join(this.folder, 'factory', PROGRAM);
    writeFileSync(program, programs.script(0, behaviour));
    chmodSync(program, 0o755);
  }

  /** What starts when nothing is on trial. */
  get good(): string {
    return this.record.good() ?? 'factory';
  }

  /** The counter of what starts when nothing is on trial. */
  get goodCounter(): number {
    const folder = path.join(this.folder, this.record.good() ? 'slots' : '', this.good);
    return Number(/^# version (\d+)$/m.exec(readFileSync(path.join(folder, PROGRAM), 'utf8'))?.[1]);
  }

  async close(): Promise<void> {
    await this.kill();
    this.cloud.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param before a program that starts the launcher, with its arguments. */
  launch({ trial, silence }: DeviceSettings, before: readonly string[] = []): ChildProcess {
    const launcher = [
      ...[process.execPath, this.#programs.launcher],
      ...['--directory', path.join(this.folder, 'slots'), '--factory', path.join(this.folder, 'factory')],
      ...['--silence', String(silence), '--pause', '0.05'],
    ];
    const [program = '', ...args] = [...before, ...launcher];
    const child = spawn(program, args, {
      env: {
        ...process.env,
        // Its cache would be written while they are killed.
        NODE_COMPILE_CACHE: undefined,
        APP_CLOUD: this.cloud.url,
        APP_FOLDER: this.folder,
        APP_TRIAL_SECONDS: String(trial),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface(child.stderr).on('line', (line) => {
      this.lines.push(line);
      const { attempt } = (line.endsWith(', on trial') && this.record.trial()) || {};
      if (attempt) this.trials.set(attempt, (this.trials.get(attempt) ?? 0) + 1);
      this.changes.emit('change');
    });
    child.once('close', () => this.changes.emit('change'));
    this.#launched = child;
    return child;
  }

  /** Who runs: the launcher, or what has started it, and below it the version. */
  get processes(): readonly number[] {
    const { pid } = this.#launched ?? {};
    return pid === undefined ? [] : withChildren(pid);
  }

  /** Everything at once, as when the power goes. */
  async kill(): Promise<void> {
    this.powerOff();
    await this.ended();
  }

  /** Nobody says a word from now on; see {@link Device.ended}. */
  powerOff(): void {
    const { pid } = this.#launched ?? {};
    // Stopped first: a launcher that is just starting a version would leave it behind.
    const stopped = pid === undefined ? [] : withChildren(pid, (each) => kill(each, 'SIGSTOP'));
    for (const each of stopped) kill(each);
  }

  /** Resolves when nobody runs any more who could say a word: launcher and version, whoever ends last. */
  async ended(): Promise<void> {
    const launched = this.#launched;
    this.#launched = undefined;
    if (launched?.stderr && !launched.stderr.closed) await once(launched, 'close');
  }

  /** Resolves when it is so; looks whenever something was heard, or said. Rejects when it is not so within so many seconds. */
  until(what: () => boolean, seconds = 120): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.changes.off('change', look);
      };
      const look = (): void => {
        if (!what()) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        const heard = JSON.stringify(this.cloud.heard.slice(-8));
        reject(new Error(`it does not come about: ${heard}\n${this.lines.slice(-40).join('\n')}`));
      }, seconds * 1000);
      this.changes.on('change', look);
      look();
    });
  }
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** @param first done to each before its children are looked for. */
function withChildren(pid: number, first: (pid: number) => void = () => {}): readonly number[] {
  first(pid);
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return [pid, ...children.flatMap((each) => withChildren(Number(each), first))];
  } catch {
    return [];
  }
}
