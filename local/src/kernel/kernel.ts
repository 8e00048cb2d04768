import { randomUUID } from 'node:crypto';
import { Faults } from '../faults/faults.ts';
import type { Iam } from '../iam/iam.ts';
import { Meter } from '../meter/meter.ts';
import { type CountCall, countCallOf } from '../meter/metered-operations.ts';
import { Activity } from './activity.ts';
import type { Caller } from './caller.ts';
import { Clock } from './clock.ts';
import { notEmulated } from './errors.ts';
import type { Log } from './log.ts';
import { Outbox } from './outbox.ts';
import type { CallContext, Operation, Service } from './service.ts';

export interface KernelOptions {
  readonly region: string;
  readonly accountId: string;
  /** The base address of the AWS endpoint, `http://127.0.0.1:4566`; queue addresses are made from it. */
  readonly endpoint: string;
  readonly log: Log;
}

/**
 * What every service of the runtime shares: account, clock, log, IAM and the dispatch between services. One kernel is
 * one state of the account; a reset makes a new one.
 */
export class Kernel {
  readonly region: string;
  readonly accountId: string;
  readonly endpoint: string;
  readonly log: Log;
  readonly activity: Activity;
  readonly clock: Clock;
  readonly iam: Iam;
  /** Billable operations; services count what the dispatch cannot see. */
  readonly meter: Meter;
  /** What services would send to people. */
  readonly outbox: Outbox;
  /** What harm to do; services ask at the points where AWS may do the same. */
  readonly faults: Faults;
  readonly #counts = new Map<Operation<unknown, unknown>, CountCall>();
  #closing = false;
  readonly #services = new Map<string, Service>();

  constructor(options: KernelOptions, makeIam: (kernel: Kernel) => Iam) {
    this.region = options.region;
    this.accountId = options.accountId;
    this.endpoint = options.endpoint;
    this.log = options.log;
    this.activity = new Activity((error) => this.log.error('background work failed', { error }));
    this.clock = new Clock(this.activity);
    this.meter = new Meter(() => this.clock.now());
    this.outbox = new Outbox(() => this.clock.now());
    this.faults = new Faults(this.clock);
    this.iam = makeIam(this);
  }

  get services(): readonly Service[] {
    return [...this.#services.values()];
  }

  register(service: Service): void {
    if (this.#services.has(service.name)) throw new Error(`service ${service.name} is registered twice`);
    this.#services.set(service.name, service);
    for (const [name, each] of Object.entries(service.operations)) {
      const count = countCallOf(service.name, name);
      if (count) this.#counts.set(each as unknown as Operation<unknown, unknown>, count);
    }
  }

  /**
   * Runs an operation of a service for a caller, after asking IAM for each permission it needs.
   *
   * @throws AwsError as the service would answer it: AccessDenied names caller, action and resource.
   */
  async call<Output = unknown>(
    service: string,
    operation: string,
    input: unknown,
    caller: Caller,
    request: { readonly requestId?: string; readonly sourceIp?: string | undefined } = {},
  ): Promise<Output> {
    const found = this.#services.get(service)?.operations[operation];
    if (!found) throw notEmulated(service, operation);
    // The wire gives no types; each operation checks what it reads. This is the one place where they are assumed.
    const typed = found as unknown as Operation<unknown, Output>;
    const context: CallContext = { caller, requestId: request.requestId ?? randomUUID(), sourceIp: request.sourceIp };
    for (const permission of typed.permissions(input, context)) this.iam.authorize(context, permission);
    const count = this.#counts.get(typed);
    // A deployment asks other questions here than CloudFormation does on AWS, and happens once.
    if (!count || caller.kind === 'deployment') return typed.run(input, context);
    const output = await typed.run(input, context);
    count(this.meter, input, output);
    return output;
  }

  /** `arn:aws:<service>:<region>:<account>:<resource>` in this account. */
  arn(service: string, resource: string): string {
    return `arn:aws:${service}:${this.region}:${this.accountId}:${resource}`;
  }

  /** The caller under which a service acts by itself, for instance `iot.amazonaws.com` for a rule. */
  serviceCaller(principal: string, sourceArn: string): Caller {
    return { kind: 'service', arn: principal, accountId: this.accountId, sourceArn };
  }

  /** The runtime ends: what is cut off now has not failed. */
  get isClosing(): boolean {
    return this.#closing;
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.clock.stop();
    for (const service of this.#services.values()) await service.close?.();
  }
}
