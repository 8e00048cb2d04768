/** Kills of a launcher and its versions while one update follows the other, at system calls and at other moments. */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BOOT_CALLS, CALLS, type Target, TRIAL_CALLS } from './agent-firmware-calls.ts';
import type { Version } from './agent-firmware-cloud.ts';
import { discrepancies, stateOf, works } from './agent-firmware-discrepancies.ts';
import { attemptOf, Device, kill, type Programs } from './agent-firmware-processes.ts';

const SETTINGS = { trial: 120, silence: 120 };
/** What is waited for before a kill: a request to the cloud, or the start of a trial. */
const MOMENTS = [
  ...['ask', 'image', 'DOWNLOADING', 'VERIFYING', 'INSTALLING', 'RESTARTING', 'HEALTH_CHECK'],
  // The end of the update, whichever that is.
  ...['trial', 'end'],
];
const MAX_DELAY_MS = 120;
/** After so many ends a life is over in which what should be struck has not come. */
const MAX_ENDS = 2;

export class KilledDevice {
  readonly device: Device;
  /** How many kills have struck in which state, and who was struck at which call. */
  readonly struck: Map<string, number>;
  readonly #programs: Programs;
  readonly #random: () => number;
  #counter = 0;
  #ends = 0;
  #last = Number.POSITIVE_INFINITY;

  constructor(programs: Programs, random: () => number, struck: Map<string, number>) {
    this.#programs = programs;
    this.#random = random;
    this.struck = struck;
    this.device = new Device(programs);
    this.#want(1);
    this.device.changes.on('change', () => {
      if (this.#counter < this.#last && this.device.cloud.endOf(this.#wanted).length > 0) this.#want(this.#counter + 1);
    });
  }

  /** Starts the device, and kills what the kind says; then everything else. */
  async live(kind: number): Promise<void> {
    const lives = [
      this.#callOfAny,
      this.#everything,
      this.#callOfAny,
      this.#version,
      this.#callOfLauncher,
      this.#launcher,
    ];
    this.#ends = 0;
    await lives[kind % lives.length]?.call(this);
    await this.device.kill();
    const { goodCounter } = this.device;
    if (!works(goodCounter)) throw new Error(`version ${goodCounter} is the good one\n${this.device.lines.join('\n')}`);
  }

  /** Left alone, with a version that works: it comes to an end. Gives what was said in all lives and cannot be true. */
  async settle(): Promise<readonly string[]> {
    const { device } = this;
    this.#last = works(this.#counter + 1) ? this.#counter + 1 : this.#counter + 2;
    device.launch(SETTINGS);
    await device.until(() => device.cloud.endOf({ attempt: attemptOf(this.#last) }).length > 0, 240);
    await device.kill();
    return discrepancies(device, this.#last);
  }

  get #wanted(): Version {
    return this.device.cloud.desired as Version;
  }

  #want(counter: number): void {
    this.#counter = counter;
    this.#ends += 1;
    this.device.cloud.desired = this.#programs.version(counter, works(counter) ? 'works' : 'exit 3');
  }

  /** Launcher or version, whoever makes the call so often first. Its launcher goes on for a while, or the power goes. */
  async #callOfAny(): Promise<void> {
    const onTrial = stateOf(this.device).endsWith('on trial') && this.#random() < 0.5;
    await this.#call(['-f'], this.#pick(onTrial ? TRIAL_CALLS : CALLS));
    if (this.#random() < 0.5) await this.#goOn();
  }

  async #callOfLauncher(): Promise<void> {
    await this.#call([], this.#pick(BOOT_CALLS));
  }

  async #call(follow: readonly string[], [files, call, often]: Target): Promise<void> {
    const { device } = this;
    const nth = 1 + Math.floor(this.#random() * often);
    const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
    const paths = files.flatMap((each) => ['-P', path.join(device.folder, each)]);
    const from = device.lines.length;
    let launcher: number | undefined;
    device.launch(SETTINGS, ['strace', ...follow, '-q', ...paths, '-e', `trace=${call}`, '-e', inject]);
    await device.until(() => {
      launcher ??= device.processes[1];
      return this.#strikes(from).length > 0 || this.#ends >= MAX_ENDS;
    });
    const [strike] = this.#strikes(from);
    if (!strike) return this.#count('nothing: the call was not made so often');
    const isLauncher = strike.pid === undefined || strike.pid === launcher || launcher === undefined;
    this.#count(`${isLauncher ? 'the launcher' : 'a version'} at ${strike.call}`, stateOf(device));
  }

  /** The power goes at some moment. */
  async #everything(): Promise<void> {
    await this.#moment();
    this.device.powerOff();
    this.#count('everything', stateOf(this.device));
  }

  /** A version ends in the middle of something; its launcher goes on for a while. */
  async #version(): Promise<void> {
    await this.#moment();
    const [, version] = this.device.processes;
    if (version !== undefined) kill(version);
    this.#count(version === undefined ? 'nothing: between two versions' : 'a version', stateOf(this.device));
    await this.#goOn();
  }

  /** The launcher ends, and its version has to end by itself. */
  async #launcher(): Promise<void> {
    await this.#moment();
    const [launcher] = this.device.processes;
    if (launcher === undefined) throw new Error(`the launcher has ended by itself\n${this.device.lines.join('\n')}`);
    kill(launcher);
    this.#count('the launcher', stateOf(this.device));
    await this.device.ended();
  }

  async #moment(): Promise<void> {
    const { device } = this;
    const moment = this.#pick(MOMENTS);
    const { requests } = device.cloud;
    const [requestsBefore, linesBefore] = [requests.length, device.lines.length];
    device.launch(SETTINGS);
    await device.until(
      () =>
        this.#ends > 0 ||
        requests.slice(requestsBefore).includes(moment) ||
        (moment === 'trial' && device.lines.slice(linesBefore).some((line) => line.endsWith(', on trial'))),
    );
    // At once as well.
    await wait(Math.max(0, this.#random() * 1.5 - 0.5) * MAX_DELAY_MS);
  }

  /** Until something more was heard, or strace has killed once more, or nobody is left. */
  async #goOn(): Promise<void> {
    const { device } = this;
    const [heard, lines] = [device.cloud.heard.length, device.lines.length];
    const isOver = (): boolean => this.#strikes(lines).length > 0 || device.processes.length === 0;
    await device.until(() => device.cloud.heard.length > heard || isOver());
  }

  /** What strace says of the calls that have ended a process. */
  #strikes(from: number): readonly { readonly pid: number | undefined; readonly call: string }[] {
    return this.device.lines.slice(from).flatMap((line) => {
      const [found, pid, call = ''] = /^(?:\[pid +(\d+)\] )?(?:<\.\.\. )?(\w+).*= \?$/.exec(line) ?? [];
      return found ? [{ pid: pid === undefined ? undefined : Number(pid), call }] : [];
    });
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #count(...what: readonly string[]): void {
    for (const each of what) this.struck.set(each, (this.struck.get(each) ?? 0) + 1);
  }
}
