/** The launcher with small versions in its slots, as real processes; and the cloud that updates them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { UpdateState } from '@thingstead/contracts/firmware';
import type { Status } from '../../device/src/firmware/firmware-cloud.ts';
import { nodeFirmwareFileSystem as fs } from '../../device/src/firmware/node-firmware-file-system.ts';
import { BootRecord } from '../../device/src/launcher/boot-record.ts';
import { desiredOf, firstTrust, grantOf, type Release } from './agent-firmware-world.ts';
import { image } from './firmware-image.ts';

const root = path.resolve(__dirname, '../..');

export interface Heard {
  readonly attempt: string;
  readonly state: UpdateState;
  /** Of the program that spoke. */
  readonly by: number;
  readonly pid: number;
  readonly status: Status;
}

/** What a version does: a line of shell, or a behaviour of agent-firmware-app.ts. */
export type Version = Omit<Release, 'behaviour' | 'content'> & { readonly content: Buffer };

export function version(counter: number, behaviour: string): Version {
  const content = image([{ name: 'app/bin/thingstead-agent', data: script(counter, behaviour), executable: true }]);
  return { attempt: `01J${String(counter).padStart(23, '0')}`, counter, content };
}

function script(counter: number, behaviour: string): string {
  const app = `exec '${process.execPath}' '${path.join(__dirname, 'agent-firmware-app.ts')}' ${counter} ${behaviour}`;
  return `#!/bin/sh\n${behaviour.includes(' ') ? behaviour : app}\n`;
}

export class Device {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'thingstead-slots-'));
  readonly heard: Heard[] = [];
  readonly launchers: ChildProcess[] = [];
  desired: Version | undefined;
  /** How often a version has called. */
  calls = 0;
  /** What the launchers have said. */
  words = '';
  readonly #seconds: { readonly trial: number; readonly silence: number };
  readonly #server: Server;
  readonly #listeners = new Set<() => void>();

  /** @param seconds how long a start may take to be found good, and a version may be silent. */
  constructor(seconds: { readonly trial: number; readonly silence: number }) {
    this.#seconds = seconds;
    for (const name of ['state', 'slots', 'factory/bin']) mkdirSync(path.join(this.folder, name), { recursive: true });
    writeFileSync(path.join(this.folder, 'trust.json'), JSON.stringify(firstTrust));
    const program = path.join(this.folder, 'factory/bin/thingstead-agent');
    writeFileSync(program, script(0, 'works'));
    chmodSync(program, 0o755);
    this.#server = createServer(async (request, response) => {
      const { desired } = this;
      if (request.url === '/image') {
        const content = desired?.content ?? Buffer.alloc(0);
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const range = from && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
        response.writeHead(from ? 206 : 200, { etag: '"image"', ...range }).end(content.subarray(from));
        return;
      }
      this.calls += 1;
      this.#changed();
      const body = JSON.parse(await text(request));
      response.end(JSON.stringify(this.#answer(request.url ?? '', body)));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What starts when nothing is on trial. */
  get good(): string {
    return new BootRecord(fs, path.join(this.folder, 'slots')).good() ?? 'factory';
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    await this.kill();
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param before a program that starts the launcher, with its arguments. */
  launch(before: readonly string[] = []): ChildProcess {
    const directories = [
      '--directory',
      path.join(this.folder, 'slots'),
      '--factory',
      path.join(this.folder, 'factory'),
    ];
    const launcher = [
      path.join(root, 'device/bin/thingstead-launcher.mjs'),
      ...directories,
      '--silence',
      String(this.#seconds.silence),
      '--pause',
      '0.05',
    ];
    const [program = '', ...args] = [...before, process.execPath, ...launcher];
    const child = spawn(program, args, {
      env: {
        ...process.env,
        APP_CLOUD: this.url,
        APP_FOLDER: this.folder,
        APP_TRIAL_SECONDS: String(this.#seconds.trial),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    child.stderr?.on('data', (data) => {
      this.words += data;
      this.#changed();
    });
    child.once('exit', () => this.#changed());
    this.launchers.push(child);
    return child;
  }

  /** Everything at once, as when the power goes. */
  async kill(): Promise<void> {
    const running = this.launchers
      .splice(0)
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    for (const pid of [...running.map((each) => each.pid), ...this.heard.map((each) => each.pid)]) end(pid);
    await Promise.all(running.map((each) => once(each, 'exit')));
  }

  /** The version that was heard last; its launcher goes on. */
  killVersion(): void {
    end(this.heard.at(-1)?.pid);
  }

  /** Resolves when it is so; looks whenever something was heard, or said. */
  async until(what: () => boolean, seconds = 40): Promise<void> {
    const late = Date.now() + seconds * 1000;
    while (!what()) {
      if (Date.now() > late)
        throw new Error(`it does not come about: ${JSON.stringify(this.heard.slice(-8))}\n${this.words.slice(-2000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => done(), 1000);
        const done = (): void => {
          clearTimeout(timer);
          this.#listeners.delete(done);
          resolve();
        };
        this.#listeners.add(done);
      });
    }
  }

  /** How the update has ended, as the cloud has heard. */
  endOf({ attempt }: Pick<Version, 'attempt'>): readonly Heard[] {
    const ends: readonly UpdateState[] = ['COMMITTED', 'ROLLED_BACK', 'FAILED'];
    return this.heard.filter((each) => each.attempt === attempt && ends.includes(each.state));
  }

  #answer(url: string, body: { attempt: string; nonce: string; status: Status; by: number; pid: number }): unknown {
    const { desired } = this;
    if (url === '/desired') return { desired: desired && desiredOf(desired) };
    if (url === '/ask') return desired && grantOf(desired, body.nonce, `${this.url}/image`, Date.now());
    const { attempt, status, by, pid } = body;
    this.heard.push({ attempt, status, by, pid, state: status.state });
    this.#changed();
    return {};
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function end(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const each of [-pid, pid]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // Nobody is left.
    }
  }
}
