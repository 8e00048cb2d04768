/** A device that renews its certificate: the agent's own parts, a disk that can lose power, and the cloud's own decisions. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { certificateTopic } from '@thingstead/contracts/topics';
import { Backoff } from '../../device/src/backoff.ts';
import { CertificateRenewal } from '../../device/src/certificates/certificate-renewal.ts';
import { CertificateStore } from '../../device/src/certificates/certificate-store.ts';
import { Identities } from '../../device/src/certificates/identities.ts';
import { newKey } from '../../device/src/certificates/new-key.ts';
import type { Expired } from '../../device/src/certificates/renewal-over-https.ts';
import { type Identity, identityWith } from '../../device/src/identity.ts';
import { keepConnected } from '../../device/src/keep-connected.ts';
import { ConnectionFailed, type Session, type SessionEnd } from '../../device/src/session.ts';
import { Takeovers } from '../../device/src/takeovers.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeSession, keptLog } from './agent-session.ts';
import { type Authorities, idOf, THING, type World } from './certificate-world.ts';
import type { SimulatedDisk } from './outbox-disk.ts';

const STEP_MS = 1000;
/** Quiet turns of the event loop after which nothing is under way. */
const QUIET_TURNS = 3;

/** A key that is not in a file; what the token would do is done with the key of the device's first certificate. */
export const IN_TOKEN: Identity['key'] = { kind: 'token', library: '/lib/token.so', pin: '1234', tool: 'pkcs11-tool' };

class PowerCut extends Error {}

export interface DeviceOptions {
  readonly factoryKey?: Identity['key'];
  /** Called at everything that happens on the device: throw to cut its power. */
  readonly happens?: (what: string) => void;
  /** Whether a message of the device, or an answer to it, gets lost on the way. */
  readonly loses?: (what: string) => boolean;
  readonly recovers?: boolean;
}

export class Device {
  readonly log = keptLog();
  readonly clock: ManualClock;
  readonly disk: SimulatedDisk;
  /** Certificates with which it has connected, in order, and those with which it could not, with a minus. */
  readonly connections: string[] = [];
  readonly problems: string[] = [];
  readonly identities: Identities;
  readonly renewal: CertificateRenewal;
  isOn = true;
  readonly #by: Authorities;
  readonly #world: World;
  readonly #options: DeviceOptions;
  readonly #off = new AbortController();
  #underWay = 0;
  #session: { readonly fake: FakeSession; readonly id: string } | undefined;
  readonly #running: Promise<void>;

  constructor(by: Authorities, world: World, disk: SimulatedDisk, options: DeviceOptions = {}) {
    this.#by = by;
    this.#world = world;
    this.#options = options;
    this.disk = disk;
    this.clock = new ManualClock(world.now);
    disk.fault = (operation) => {
      if (!this.isOn) throw new PowerCut();
      if (operation !== 'read' && operation !== 'list' && operation !== 'makeDirectory') this.#happens(operation);
    };
    const { validFromDate, validToDate } = new X509Certificate(by.device.pem);
    const factory: Identity = {
      certificate: by.device.pem,
      key: options.factoryKey ?? { kind: 'file', pem: by.device.keyPem },
      notBefore: validFromDate,
      notAfter: validToDate,
    };
    const store = new CertificateStore(disk, '/state/certificate');
    const current = store.current();
    this.identities = new Identities(THING, factory, current ? identityWith(THING, factory, current) : factory, store);
    this.renewal = new CertificateRenewal({
      thing: THING,
      identities: this.identities,
      connectWith: (identity) => () => this.#connect(identity),
      newKey: (thing) => this.#during(newKey(thing)),
      recover: options.recovers ? (expired) => this.#during(this.#recover(expired)) : undefined,
      clock: this.clock,
      log: this.log,
    });
    this.#running = keepConnected(
      {
        connect: this.renewal.connect,
        backoff: new Backoff({ baseMs: 1000, capMs: 60_000, stableMs: 30_000 }),
        takeovers: new Takeovers({ clock: this.clock, log: this.log, firstMs: 60_000 }),
        clock: this.clock,
        log: this.log,
        use: (session) => this.#use(session),
      },
      this.#off.signal,
    );
  }

  /** Lets time pass until this is so. False when it never is. */
  async until(isSo: () => boolean, seconds = 3600): Promise<boolean> {
    for (let passed = 0; passed < seconds; ) {
      await this.#quiet();
      if (isSo()) return true;
      if (!this.isOn) return false;
      this.clock.advance(STEP_MS);
      passed += 1;
      this.#world.now = this.clock.now();
    }
    return false;
  }

  /** Everything that was asked of the cloud has been answered. */
  async #quiet(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await turn();
      if (this.#underWay > 0) quiet = -1;
    }
  }

  get present(): string {
    return idOf(this.identities.present.certificate);
  }

  get isConnected(): boolean {
    return this.#session?.fake.isOpen === true;
  }

  /** The certificate of the connection. */
  get connectedWith(): string | undefined {
    return this.isConnected ? this.#session?.id : undefined;
  }

  async cutPower(): Promise<void> {
    this.isOn = false;
    this.#session?.fake.lose();
    this.#off.abort();
    await this.#quiet();
    await this.#running;
  }

  wish(at: number): void {
    this.#session?.fake.deliver(`${certificateTopic(THING)}/wanted`, { at });
  }

  #happens(what: string): void {
    try {
      this.#options.happens?.(what);
    } catch {
      this.isOn = false;
      this.#session?.fake.lose();
      this.#off.abort();
      throw new PowerCut(what);
    }
  }

  async #during<T>(work: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await work;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** As the broker does it, for a certificate with its key. */
  async #connect({ certificate, key }: Identity): Promise<Session> {
    if (!this.isOn) throw new PowerCut();
    const id = idOf(certificate);
    const x509 = new X509Certificate(certificate);
    if (this.isConnected) this.problems.push('two connections at a time');
    const pem = key.kind === 'file' ? key.pem : this.#by.device.keyPem;
    if (!x509.checkPrivateKey(createPrivateKey(pem))) this.problems.push('a torn pair');
    if (!this.#world.working.includes(id) || this.#world.now > x509.validToDate.getTime()) {
      this.connections.push(`-${id}`);
      throw new ConnectionFailed('closed-without-answer', 'closed');
    }
    this.connections.push(id);
    const fake = new FakeSession(`s${this.connections.length}-${Math.random()}`);
    this.#session = { fake, id };
    fake.onPublish = ({ body }) => {
      this.#happens('publish');
      if (!this.#options.loses?.('question')) void this.#during(this.#answer(fake, id, body));
      return { kind: 'acknowledged' };
    };
    this.#happens('connected');
    return fake;
  }

  async #answer(fake: FakeSession, id: string, body: unknown): Promise<void> {
    this.#world.now = this.clock.now();
    const said = await this.#world.message(id, body);
    // AWS IoT ends the connection of a certificate that is not active any more.
    if (!this.#world.working.includes(this.#session?.id ?? '')) this.#session?.fake.lose();
    if (!said || !this.isOn || this.#options.loses?.('answer')) return;
    try {
      this.#happens('answer');
    } catch {
      return;
    }
    fake.deliver(`${certificateTopic(THING)}/${said.verdict}`, said.answer);
  }

  async #recover(expired: Expired) {
    const { renewOverHttpsWith } = await import('./agent-certificate-http.ts');
    return renewOverHttpsWith(this.#world, expired, this.#by.device.keyPem);
  }

  async #use(session: Session): Promise<SessionEnd> {
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    const subscribed = async (): Promise<boolean> => (await session.subscribe(this.renewal.filters)).kind === 'granted';
    this.renewal.on(session, subscribed, over.signal);
    return session.closed;
  }
}
