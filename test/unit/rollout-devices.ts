/** Devices that are updated, and say so until they are answered. They know what they really run. */
import type { DesiredFirmware, FirmwareRequest, UpdateState } from '@thingstead/contracts/firmware';
import type { ThingRow } from '@thingstead/contracts/things';
import type { StatusPorts } from '../../lambda/rollouts/ports.ts';
import { onStatus } from '../../lambda/rollouts/status.ts';
import { HarmedWorld, isHarm } from '../support/harmed-world.ts';
import { WatchedRolloutRows } from './rollout-watch.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const PRODUCT = 'lamp';

/** What a device makes of an update. `late`: it is away for hours. */
export type Conduct = 'updates' | 'fails' | 'rolls-back' | 'stalls' | 'mute' | 'away' | 'late' | 'restless';

export interface Device {
  conduct: Conduct;
  connected: boolean;
  since: number;
  connections: number;
  /** Of what it runs. */
  counter: number;
  desired: DesiredFirmware | undefined;
  /** The attempt it has taken up last. */
  attempt: string | undefined;
  /** When it was first in a state, by attempt and state: `attempt state`. */
  readonly was: Map<string, number>;
}

export abstract class RolloutDevices extends HarmedWorld {
  readonly rows = new WatchedRolloutRows(this);
  readonly devices = new Map<string, Device>();

  protected abstract ports(): StatusPorts;
  protected abstract isYanked(counter: number): boolean;

  add(thing: string, conduct: Conduct): Device {
    const isAway = conduct === 'away' || conduct === 'late';
    const device: Device = {
      ...{ conduct, connected: !isAway, since: this.now, connections: 1, counter: 1 },
      ...{ desired: undefined, attempt: undefined, was: new Map() },
    };
    this.devices.set(thing, device);
    if (conduct === 'late') this.schedule((2 + this.random(6)) * 60 * MINUTE, () => this.connect(thing));
    return device;
  }

  /** @throws Error when there is none */
  device(thing: string): Device {
    const device = this.devices.get(thing);
    if (!device) throw new Error(`there is no device ${thing}`);
    return device;
  }

  connect(thing: string): void {
    const device = this.device(thing);
    Object.assign(device, { connected: true, since: this.now, connections: device.connections + 1 });
    this.#look(thing);
  }

  disconnect(thing: string): void {
    this.device(thing).connected = false;
  }

  protected desire(thing: string, desired: DesiredFirmware): void {
    this.device(thing).desired = desired;
    this.later(() => this.#look(thing));
  }

  protected thingRow(thing: string): ThingRow | undefined {
    const device = this.devices.get(thing);
    return (
      device && {
        ...{ pk: thing, thingType: PRODUCT, hardwareRevision: 'r1', firmwareVersion: `${device.counter}.0` },
        presence: { connected: device.connected, since: device.since },
      }
    );
  }

  /** A device sees what is desired of it: at once, or when it connects. */
  #look(thing: string): void {
    const device = this.device(thing);
    const { desired } = device;
    if (!device.connected || !desired || desired.attempt === device.attempt || desired.cancelled) return;
    if (device.conduct === 'mute') return;
    device.attempt = desired.attempt;
    this.#say(thing, desired, 'WAITING');
    this.schedule(this.random(5 * SECOND), () => {
      if (device.attempt === desired.attempt) this.#download(thing, desired);
    });
  }

  #download(thing: string, desired: DesiredFirmware): void {
    const device = this.device(thing);
    const offer = this.rows.offers.get(thing);
    const state = this.rows.rollouts.get(offer?.rollout ?? '')?.state;
    const isInForce = offer?.attempt === desired.attempt && offer.state !== 'ENDED' && state !== 'ABORTED';
    const isYanked = this.isYanked(desired.counter);
    if (isInForce && !isYanked && state === 'PAUSED') this.schedule(30 * SECOND, () => this.#download(thing, desired));
    else if (!isInForce || isYanked) this.#say(thing, desired, 'FAILED', { failure: 'no-grant' });
    else if (device.conduct === 'fails') this.#say(thing, desired, 'FAILED', { failure: 'hash-mismatch' });
    else {
      this.#say(thing, desired, 'DOWNLOADING');
      if (device.conduct !== 'stalls') this.schedule(this.random(3 * MINUTE), () => this.#install(thing, desired));
    }
  }

  #install(thing: string, desired: DesiredFirmware): void {
    const device = this.device(thing);
    if (device.attempt !== desired.attempt) return;
    if (device.desired?.attempt === desired.attempt && device.desired.cancelled) {
      this.#say(thing, desired, 'FAILED', { failure: 'cancelled' });
      return;
    }
    this.#say(thing, desired, 'RESTARTING');
    this.schedule(MINUTE, () => {
      if (device.conduct === 'rolls-back') this.#say(thing, desired, 'ROLLED_BACK', { failure: 'does-not-start' });
      else if (device.counter < desired.counter) this.#commit(thing, desired);
    });
  }

  #commit(thing: string, desired: DesiredFirmware): void {
    const device = this.device(thing);
    device.counter = desired.counter;
    const before = this.rows.offers.get(thing);
    const running = { product: PRODUCT, version: desired.version, counter: desired.counter, at: this.now };
    if (before) this.rows.offers.set(thing, { ...before, running });
    this.#say(thing, desired, 'COMMITTED');
    if (device.conduct !== 'restless') return;
    for (let n = 1; n < 9; n += 1) this.schedule(n * 20 * SECOND, () => this.connect(thing));
  }

  /** Until it is answered. */
  #say(thing: string, { attempt, version, counter }: DesiredFirmware, state: UpdateState, more: object = {}): void {
    const status = { type: 'status', state, version, counter, ...more } as Extract<FirmwareRequest, { type: 'status' }>;
    const { was } = this.device(thing);
    was.set(`${attempt} ${state}`, was.get(`${attempt} ${state}`) ?? this.now);
    let isAnswered = false;
    const receive = (): void => {
      onStatus({ thing, attempt }, status, this.ports()).then(
        () => (isAnswered = true),
        (error) => this.must(isHarm(error) || error.name === 'ContendedDeviceError', String(error)),
      );
    };
    const repeat = (): void => {
      if (isAnswered) return;
      this.deliver(receive);
      this.schedule(MINUTE, repeat);
    };
    repeat();
  }
}
