/**
 * A device with slots on a disk that can lose power, and the cloud that updates it: the real launcher's choice, the real updater, real
 * signatures. What a version does stands in its program.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { DesiredFirmware, UpdateState } from '@thingstead/contracts/firmware';
import type { Clock } from '../../device/src/clock.ts';
import type { FirmwareCloud, GrantResult, Status } from '../../device/src/firmware/firmware-cloud.ts';
import { FirmwareUpdater } from '../../device/src/firmware/firmware-updater.ts';
import type { HttpGet } from '../../device/src/firmware/http-get.ts';
import { TrustStore } from '../../device/src/firmware/trust-store.ts';
import type { UpdateContext } from '../../device/src/firmware/update-context.ts';
import { UpdateJournal } from '../../device/src/firmware/update-journal.ts';
import { UpdateReports } from '../../device/src/firmware/update-reports.ts';
import { Slots } from '../../device/src/installers/slots.ts';
import { BootRecord } from '../../device/src/launcher/boot-record.ts';
import { nextStart, noteTrialEnd, PROGRAM, type Start } from '../../device/src/launcher/next-start.ts';
import { keptLog } from './agent-session.ts';
import { FirmwareDisk } from './firmware-disk.ts';
import { image, sha256 } from './firmware-image.ts';
import { keyPair, signed, trustOf } from './firmware-keys.ts';

export const NOW = Date.parse('2026-06-01T00:00:00Z');
export const MAX_BOOTS = 3;
export const THING = 'macdonald-pump';
const FOLDER = '/state';
const SLOTS = '/slots';
const FACTORY = '/factory';
const [releaseKey, onlineKey] = [keyPair(), keyPair()];
/** The trust document that comes with the device. */
export const firstTrust = signed('trust', trustOf(1, 1, [releaseKey], [onlineKey]), releaseKey);

/**
 * What a version does when it is started: works; ends at once; says nothing until it is killed; never connects; fills the disk; has
 * the power taken away, each time or until its last boot.
 */
export type Behaviour = 'works' | 'crashes' | 'hangs' | 'offline' | 'fills-disk' | 'cuts-power' | 'works-at-last';

/** Time that goes on when nothing else happens. */
class SteppingClock implements Clock {
  #now = 0;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];
  now = (): number => NOW + this.#now;
  uptime = (): number => this.#now;
  after = (ms: number, task: () => void): (() => void) => {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== entry);
    };
  };
  /** Goes to the next thing that is due; false when there is none. */
  step(): boolean {
    const [next] = this.#tasks.toSorted((a, b) => a.at - b.at);
    if (!next) return false;
    this.#tasks = this.#tasks.filter((each) => each !== next);
    this.#now = Math.max(this.#now, next.at);
    next.task();
    return true;
  }
}

export interface Release {
  readonly attempt: string;
  readonly counter: number;
  readonly behaviour: Behaviour;
  readonly content: Buffer;
}

export function release(counter: number, behaviour: Behaviour): Release {
  const program = programOf(counter, behaviour);
  const content = image([
    { name: 'app/', type: '5' },
    { name: 'app/bin/thingstead-agent', data: program, executable: true },
    { name: 'app/lib/agent.mjs', data: libraryOf(program) },
  ]);
  return { attempt: `01J${String(counter).padStart(23, '0')}`, counter, behaviour, content };
}

const programOf = (counter: number, behaviour: Behaviour): string => `${counter} ${behaviour}`;
const libraryOf = (program: string): string => `${program} `.repeat(100);

export interface Said {
  readonly attempt: string;
  readonly state: UpdateState;
  /** Of the program that spoke. */
  readonly by: number;
  readonly status: Status;
  /** How many operations the disk had seen. */
  readonly at: number;
}

export interface Launched {
  readonly slot: Start['slot'];
  readonly onTrial: boolean;
  /** Undefined when the program or its library is not whole. */
  readonly counter: number | undefined;
  readonly at: number;
}

export class FirmwareWorld {
  readonly clock = new SteppingClock();
  readonly log = keptLog();
  readonly said: Said[] = [];
  readonly launched: Launched[] = [];
  readonly complaints: string[] = [];
  disk: FirmwareDisk;
  desired: Release | undefined;
  /** Changes what the server of images sends. */
  get: HttpGet;
  /** What the cloud answers to a question for a grant. */
  grant = grantOf;
  #unwanted = (): void => {};
  readonly #hearing = new Set<() => void>();

  constructor(disk = factoryDisk()) {
    this.disk = disk;
    this.get = async (_url, headers) => {
      const content = this.desired?.content ?? Buffer.alloc(0);
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
      return {
        status: from > 0 ? 206 : 200,
        headers: { etag: '"image"', 'content-length': String(content.length - from), ...(from > 0 && range) },
        body: parts(content.subarray(from)),
      };
    };
  }

  /** The device starts, and goes on until there is nothing left to do or it has been started too often. */
  async run(maxStarts = 12): Promise<void> {
    for (let starts = 0; starts < maxStarts; starts += 1) {
      const start = nextStart(this.disk, { directory: SLOTS, factory: FACTORY }, false, (text) =>
        this.complaints.push(text),
      );
      const counter = this.#wholeCounter(start);
      const onTrial = start.deadlineSeconds !== undefined;
      this.launched.push({ slot: start.slot, onTrial, counter, at: this.disk.trace.length });
      const behaviour = counter === undefined ? 'crashes' : this.#behaviourOf(start);
      const ended = await this.#live(start, counter ?? 0, behaviour);
      if (ended === 'idle') {
        if (!onTrial || this.#record.good() === start.slot) return;
        // Nobody finds it good, until its launcher ends it.
        noteTrialEnd(this.disk, SLOTS, start.slot, { failure: 'unhealthy', reason: 'late' });
      }
      if (onTrial && behaviour !== 'works') {
        const failure = behaviour === 'crashes' || behaviour === 'hangs' ? 'does-not-start' : 'unhealthy';
        if (behaviour !== 'cuts-power') noteTrialEnd(this.disk, SLOTS, start.slot, { failure, reason: behaviour });
      }
      if (!onTrial && behaviour !== 'works') return;
    }
    throw new Error(`started ${maxStarts} times, and still not done`);
  }

  /** The cloud no longer wants the update. */
  unwanted(): void {
    this.#unwanted();
  }

  hear(said: Said): void {
    this.said.push(said);
    for (const listener of [...this.#hearing]) listener();
  }

  /** Resolves when the cloud has heard it. */
  hears(what: (said: Said) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const listener = (): void => {
        if (!this.said.some(what)) return;
        this.#hearing.delete(listener);
        resolve();
      };
      this.#hearing.add(listener);
      listener();
    });
  }

  /** What runs when nothing is on trial. */
  get goodCounter(): number | undefined {
    const slot = this.#record.good() ?? 'factory';
    return this.#wholeCounter({ slot, program: `${slot === 'factory' ? FACTORY : `${SLOTS}/${slot}`}/${PROGRAM}` });
  }

  get #record(): BootRecord {
    return new BootRecord(this.disk, SLOTS);
  }

  async #live(start: Start, counter: number, behaviour: Behaviour): Promise<'idle' | 'ended'> {
    if (behaviour === 'crashes' || behaviour === 'hangs') return 'ended';
    const ending = new AbortController();
    const cloud = new CloudOf(this, counter, behaviour === 'offline', ending.signal);
    const { disk, clock, log } = this;
    const journal = new UpdateJournal(disk, FOLDER);
    const trust = new TrustStore(disk, FOLDER, firstTrust);
    if (behaviour === 'fills-disk') disk.free = 0;
    const running = trust.inSlot(start.slot);
    const context: UpdateContext = {
      thing: THING,
      hardwareRevision: 'rev-a',
      settings: { product: 'pump', healthSeconds: 60, trialSeconds: 900, minFreeBytes: 1 },
      folder: FOLDER,
      fs: disk,
      journal,
      trust,
      installer: new Slots({
        ...{ fs: disk, directory: SLOTS, running: start.slot, maxBoots: MAX_BOOTS, trialSeconds: 900 },
        end: () => ending.abort(),
      }),
      cloud,
      get: (...args) => this.get(...args),
      clock,
      log,
      randomId: () => `nonce of sixteen ${disk.trace.length}`,
      running,
      trustChanged: () => {},
    };
    const updater = new FirmwareUpdater(context, new UpdateReports({ ...context, version: 'factory' }));
    if (this.desired) updater.wanted(desiredOf(this.desired));
    this.#unwanted = () => updater.wanted(undefined);
    const done = updater.run(ending.signal);
    await this.#drive(journal, ending, behaviour);
    const idle = !ending.signal.aborted;
    ending.abort();
    await done;
    return idle ? 'idle' : 'ended';
  }

  /** Lets things happen until the version ends, or has nothing left to do. */
  async #drive(journal: UpdateJournal, ending: AbortController, behaviour: Behaviour): Promise<void> {
    for (let turns = 0; !ending.signal.aborted; turns += 1) {
      const before = this.disk.trace.length + this.said.length;
      for (let quiet = 0; quiet < 4; quiet += 1) await turn();
      if (this.disk.trace.length + this.said.length > before || ending.signal.aborted) continue;
      const ended = journal.ended.some(({ attempt }) => attempt === this.desired?.attempt);
      const told = journal.ended.every((each) => each.told);
      if (!journal.update && told && (ended || !this.desired)) return;
      if (behaviour === 'cuts-power' && journal.update?.state === 'HEALTH_CHECK') ending.abort();
      if (journal.update?.state !== 'INSTALLING') this.clock.step();
      if (turns > 5_000)
        throw new Error(`nothing ends in ${JSON.stringify(journal.update)}\n${JSON.stringify(this.log.lines)}`);
    }
  }

  #behaviourOf({ program }: Start): Behaviour {
    const behaviour = this.disk.read(program).toString().split(' ')[1] as Behaviour;
    if (behaviour !== 'works-at-last') return behaviour;
    return (this.#record.trial()?.bootsLeft ?? 0) > 0 ? 'cuts-power' : 'works';
  }

  #wholeCounter({ program }: Start): number | undefined {
    try {
      const entry = this.disk.entry(program);
      const text = this.disk.read(program).toString();
      const library = this.disk.read(program.replace(PROGRAM, 'lib/agent.mjs')).toString();
      const whole = entry?.kind === 'file' && entry.executable && library === libraryOf(text);
      return whole ? Number(text.split(' ')[0]) : undefined;
    } catch {
      return undefined;
    }
  }
}

class CloudOf implements FirmwareCloud {
  readonly #world: FirmwareWorld;
  readonly #by: number;
  readonly #ending: AbortSignal;
  readonly isConnected: boolean;

  constructor(world: FirmwareWorld, by: number, offline: boolean, ending: AbortSignal) {
    this.#world = world;
    this.#by = by;
    this.#ending = ending;
    this.isConnected = !offline;
  }

  connected(signal: AbortSignal): Promise<void> {
    if (this.isConnected || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  ask(attempt: string, nonce: string): Promise<GrantResult> {
    const { desired } = this.#world;
    if (desired?.attempt !== attempt) throw new Error(`asks for ${attempt}`);
    return Promise.resolve({ kind: 'granted', grant: this.#world.grant(desired, nonce) });
  }

  tell(attempt: string, status: Status): Promise<'taken' | 'unanswered'> {
    const world = this.#world;
    // What a process says after its end is not heard.
    if (this.#ending.aborted) return Promise.resolve('unanswered');
    world.hear({ attempt, state: status.state, by: this.#by, status, at: world.disk.trace.length });
    return Promise.resolve('taken');
  }
}

/** What the cloud signs for one request. */
export function grantOf(
  { attempt, counter, content }: Omit<Release, 'behaviour'>,
  nonce: string,
  url = 'https://images.example/image',
  now = NOW,
) {
  const manifest = {
    ...{ type: 'firmware', product: 'pump', hardwareRevisions: ['rev-a'], version: `${counter}.0.0`, counter },
    ...{ minimumCounter: 1, sha256: sha256(content), size: content.length, expiresAt: now + 1e9 },
  };
  const document = signed('firmware', manifest, releaseKey);
  const assignment = {
    ...{ type: 'assignment', thing: THING, attempt, nonce, product: 'pump', counter, expiresAt: now + 1e9 },
    manifestSha256: sha256(Buffer.from(document.document, 'base64')),
  };
  return {
    type: 'grant' as const,
    assignment: signed('assignment', assignment, onlineKey),
    release: document,
    trust: [],
    url,
    etag: '"image"',
    expiresAt: now + 1e9,
  };
}

export function desiredOf({ attempt, counter, content }: Omit<Release, 'behaviour'>): DesiredFirmware {
  return { attempt, product: 'pump', version: `${counter}.0.0`, counter, size: content.length };
}

/** As a device leaves the factory: everything is on the disk for certain. */
function factoryDisk(): FirmwareDisk {
  const disk = new FirmwareDisk();
  for (const folder of [FOLDER, SLOTS, `${FACTORY}/bin`, `${FACTORY}/lib`]) disk.makeDirectory(folder);
  disk.createExecutable(`${FACTORY}/${PROGRAM}`).write(Buffer.from(programOf(0, 'works')));
  disk.create(`${FACTORY}/lib/agent.mjs`).write(Buffer.from(libraryOf(programOf(0, 'works'))));
  return disk.settled();
}

async function* parts(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 200) yield content.subarray(at, at + 200);
}
