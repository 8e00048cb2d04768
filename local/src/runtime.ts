/** One local runtime: the AWS endpoint, the listeners for devices, and the account behind them. */

import { readPlan } from './faults/read-plan.ts';
import { controlRoutes } from './http/control-routes.ts';
import { type Account, FrontDoor } from './http/front-door.ts';
import { newAccessKeyId, newSecret } from './iam/credential-store.ts';
import { LocalIam } from './iam/local-iam.ts';
import { addOperator } from './iam/operator.ts';
import { Kernel } from './kernel/kernel.ts';
import type { Log } from './kernel/log.ts';
import { meterReport } from './meter/report.ts';
import { type Listener, type Ports, registerServices } from './services/index.ts';
import { deploy } from './template/deploy.ts';
import type { Plan } from './template/plan.ts';
import { Stacks } from './template/stacks.ts';
import type { ServerCertificate } from './tls/server-certificate.ts';

export interface RuntimeOptions {
  readonly region: string;
  readonly accountId: string;
  /** The loopback address to listen on. */
  readonly host: string;
  readonly ports: Ports;
  readonly tls: ServerCertificate;
  /** What to deploy into the account, already checked; undefined for an empty account. */
  readonly plan: Plan | undefined;
  readonly log: Log;
}

interface State extends Account {
  readonly stacks: Stacks;
  readonly listeners: readonly Listener[];
}

export class Runtime {
  /** Keys of an administrator, new for every start; a reset keeps them. */
  readonly operator = { accessKeyId: newAccessKeyId('AKIA'), secretAccessKey: newSecret() };
  readonly #options: RuntimeOptions;
  readonly #frontDoor: FrontDoor;
  #state: State;
  #changing: Promise<void> = Promise.resolve();
  #ready = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#state = this.#newState();
    this.#frontDoor = new FrontDoor({
      host: options.host,
      port: options.ports.aws,
      account: () => this.#state,
      intercept: controlRoutes({
        reset: () => this.reset(),
        advance: (seconds) => this.advance(seconds),
        health: () => ({ status: this.#ready ? 'ready' : 'starting', now: new Date(this.#now()).toISOString() }),
        meter: (fleet) => meterReport(this.#state.kernel.meter, fleet),
        outbox: (after) => this.#state.kernel.outbox.after(after),
        faults: () => this.#state.kernel.faults.report(),
        harm: (plan) => this.#harm(plan),
      }),
    });
  }

  get endpoint(): string {
    return endpointOf(this.#options);
  }

  /** The outputs of all stacks, by stack and key. */
  get outputs(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return this.#state.stacks.outputs;
  }

  /** Listens, deploys, and resolves when everything answers. Rejects with the system's error for a port that is taken. */
  async start(): Promise<void> {
    await this.#frontDoor.listen();
    await this.#bringUp();
  }

  /** Throws the account away and deploys it again, on the same ports and with the same operator. */
  reset(): Promise<void> {
    return this.#oneAtATime(async () => {
      await this.#takeDown();
      this.#state = this.#newState();
      await this.#bringUp();
    });
  }

  /** Moves virtual time forward; resolves when everything that became due has run. Gives the new time, epoch milliseconds. */
  async advance(seconds: number): Promise<number> {
    await this.#oneAtATime(() => this.#state.kernel.clock.advance(seconds * 1000));
    return this.#now();
  }

  async close(): Promise<void> {
    await this.#oneAtATime(async () => {
      await this.#takeDown();
      await this.#frontDoor.close();
    });
  }

  #harm(given: unknown): void {
    const { faults, services } = this.#state.kernel;
    const known = new Map(services.map(({ name, operations }) => [name, Object.keys(operations)]));
    faults.replace(readPlan(given, known));
  }

  #now(): number {
    return this.#state.kernel.clock.now();
  }

  #newState(): State {
    const { region, accountId, log, host, ports, tls } = this.#options;
    let iam: LocalIam | undefined;
    const kernel = new Kernel({ region, accountId, endpoint: endpointOf(this.#options), log }, ({ clock }) => {
      iam = new LocalIam({ region, accountId, now: () => clock.now() });
      return iam;
    });
    if (!iam) throw new Error('the kernel made no IAM');
    addOperator(iam, this.operator, kernel.clock.now());
    const stacks = new Stacks();
    return { kernel, iam, stacks, listeners: registerServices(kernel, { iam, stacks, host, ports, tls }) };
  }

  async #bringUp(): Promise<void> {
    const { kernel, stacks, listeners } = this.#state;
    if (this.#options.plan) await deploy(this.#options.plan, kernel, stacks);
    for (const listener of listeners) await listener.listen();
    this.#ready = true;
  }

  async #takeDown(): Promise<void> {
    this.#ready = false;
    for (const listener of this.#state.listeners) await listener.close();
    await this.#state.kernel.close();
  }

  #oneAtATime(work: () => Promise<void>): Promise<void> {
    const next = this.#changing.catch(() => undefined).then(work);
    this.#changing = next;
    return next;
  }
}

function endpointOf({ host, ports }: RuntimeOptions): string {
  return `http://${host}:${ports.aws}`;
}
