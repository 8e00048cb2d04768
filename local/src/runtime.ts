/** One local runtime: the AWS endpoint, the listeners for devices, and the account behind them. */
import type { DataFolder, Part } from './data/data-folder.ts';
import { StateSaver } from './data/state-saver.ts';
import { readPlan } from './faults/read-plan.ts';
import { controlRoutes } from './http/control-routes.ts';
import { type Account, FrontDoor } from './http/front-door.ts';
import { newAccessKeyId, newSecret } from './iam/credential-store.ts';
import { LocalIam } from './iam/local-iam.ts';
import { addOperator } from './iam/operator.ts';
import { KeptRecords, type KeptState, together } from './kernel/kept-state.ts';
import { Kernel } from './kernel/kernel.ts';
import type { Log } from './kernel/log.ts';
import { meterReport } from './meter/report.ts';
import { firstApiUrl } from './services/apigatewayv2/first-api-url.ts';
import { type Listener, type Ports, registerServices, resourceHandlers } from './services/index.ts';
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
  /** Where the state is kept from one start to the next; undefined to keep it in memory. */
  readonly data?: DataFolder | undefined;
}

/** How long a runtime that is to end waits for what it is busy with, in milliseconds of real time. */
const LAST_WORK_MS = 5000;

interface OperatorKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface State extends Account {
  readonly stacks: Stacks;
  readonly listeners: readonly Listener[];
}

export class Runtime {
  /** Keys of an administrator, new for every start without kept state; a reset keeps them. */
  readonly operator: OperatorKeys;
  readonly #options: RuntimeOptions;
  readonly #frontDoor: FrontDoor;
  readonly #saver: StateSaver | undefined;
  #kept: ReadonlyMap<string, KeptRecords> | undefined;
  #state: State;
  #changing: Promise<void> = Promise.resolve();
  #ready = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    const { data, log } = options;
    this.#kept = data?.isNew === false ? data.load() : undefined;
    this.#saver = data && new StateSaver(data, () => this.#parts(), log);
    this.operator = this.#kept?.get(RUNTIME)?.get<OperatorKeys>('operator') ?? {
      accessKeyId: newAccessKeyId('AKIA'),
      secretAccessKey: newSecret(),
    };
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
        faults: () => this.#state.kernel.faults.report(),
        harm: (plan) => this.#harm(plan),
        outbox: (after) => this.#state.kernel.outbox.after(after),
      }),
    });
  }

  get endpoint(): string {
    return endpointOf(this.#options.host, this.#options.ports.aws);
  }

  /** The outputs of all stacks, by stack and key. */
  get outputs(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return this.#state.stacks.outputs;
  }

  /** The address of the account's first HTTP API, with the path of its first stage; null without one. */
  apiUrl(): Promise<string | null> {
    return firstApiUrl(this.#state.kernel);
  }

  /** Listens, deploys, and resolves when everything answers. Rejects with the system's error for a port that is taken. */
  async start(): Promise<void> {
    await this.#frontDoor.listen();
    await this.#bringUp();
  }

  /** Throws the account away, what is kept of it too, and deploys it again, on the same ports and with the same operator. */
  reset(): Promise<void> {
    return this.#oneAtATime(async () => {
      this.#saver?.pause();
      await this.#takeDown();
      this.#options.data?.clear();
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
      const { data } = this.#options;
      // What is answered after the last save would be forgotten.
      if (data && this.#ready) await this.#finishSaving();
      await this.#takeDown();
      await this.#frontDoor.close();
      data?.close();
    });
  }

  async #finishSaving(): Promise<void> {
    const { activity } = this.#state.kernel;
    await Promise.race([activity.idle(), new Promise((resolve) => setTimeout(resolve, LAST_WORK_MS).unref())]);
    await this.#frontDoor.close();
    // Devices are still connected, which is kept as well. Whoever is called next ends their connections at once.
    this.#saver?.finish();
  }

  #parts(): readonly Part[] {
    const { kernel } = this.#state;
    const services = kernel.services.flatMap(({ name, state }): readonly Part[] => (state ? [[name, state]] : []));
    return [[RUNTIME, this.#runtimeState()], ...services];
  }

  /** What belongs to no service. */
  #runtimeState(): KeptState {
    const { clock, outbox } = this.#state.kernel;
    return together(outbox, {
      save: () => [
        ['operator', this.operator],
        ['clock', { offsetMs: clock.offsetMs }],
      ],
      restore: (records) => clock.resumeAt(records.get<{ offsetMs: number }>('clock')?.offsetMs ?? 0),
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
    const kernel = new Kernel(
      { region, accountId, endpoint: endpointOf(this.#options.host, this.#options.ports.aws), log },
      ({ clock }) => {
        iam = new LocalIam({ region, accountId, now: () => clock.now() });
        return iam;
      },
    );
    if (!iam) throw new Error('the kernel made no IAM');
    addOperator(iam, this.operator, kernel.clock.now());
    const stacks = new Stacks();
    return { kernel, iam, stacks, listeners: registerServices(kernel, { iam, stacks, host, ports, tls }) };
  }

  async #bringUp(): Promise<void> {
    const { kernel, stacks, listeners } = this.#state;
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept) for (const [name, state] of this.#parts()) state.restore(kept.get(name) ?? new KeptRecords(new Map()));
    if (this.#options.plan) await deploy(this.#options.plan, kernel, stacks, resourceHandlers);
    if (kept) for (const { state } of kernel.services) await state?.resume?.();
    for (const listener of listeners) await listener.listen();
    this.#ready = true;
    // Not before: a deployment that fails leaves what is kept as it was.
    this.#saver?.start();
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

/** The part of the kept state that belongs to no service. */
const RUNTIME = 'runtime';

/** The address of the AWS endpoint. */
export function endpointOf(host: string, port: number): string {
  return `http://${host}:${port}`;
}
