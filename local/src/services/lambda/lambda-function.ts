import { randomUUID } from 'node:crypto';
import type { PolicyDocument, PolicyStatement } from '../../iam/policy-document.ts';
import type { Caller } from '../../kernel/caller.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { LogLevel } from './runtime/messages.ts';

export interface LoggingSettings {
  readonly format: 'Text' | 'JSON';
  readonly group: string;
  readonly applicationLogLevel: LogLevel;
  readonly systemLogLevel: LogLevel;
}

export interface FunctionConfiguration {
  readonly name: string;
  readonly description: string;
  /** `nodejs24.x` */
  readonly runtime: string;
  readonly handler: string;
  readonly roleArn: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly architecture: 'arm64' | 'x86_64';
  readonly deadLetterArn: string | undefined;
  readonly tracingMode: 'Active' | 'PassThrough';
  readonly logging: LoggingSettings;
  /** The folder that the code was unpacked to. */
  readonly taskRoot: string;
  readonly codeSha256: string;
  readonly codeBytes: number;
}

/** What happens with asynchronous invocations: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
export interface EventInvokeSettings {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly onSuccess: string | undefined;
  readonly onFailure: string | undefined;
  readonly lastModified: number;
}

export const DEFAULT_EVENT_INVOKE_SETTINGS: EventInvokeSettings = {
  maximumRetryAttempts: 2,
  maximumEventAgeSeconds: 21_600,
  onSuccess: undefined,
  onFailure: undefined,
  lastModified: 0,
};

/** A function as it is kept; its code is a record of its own. */
export interface KeptFunction {
  readonly configuration: Omit<FunctionConfiguration, 'taskRoot'>;
  readonly lastModified: number;
  readonly revisionId: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly statements: ReadonlyMap<string, PolicyStatement>;
  readonly reservedConcurrency: number | undefined;
  readonly eventInvoke: EventInvokeSettings | undefined;
}

/** One function: its version `$LATEST`, which is the only one here. */
export class LambdaFunction {
  readonly arn: string;
  readonly tags = new Map<string, string>();
  reservedConcurrency: number | undefined;
  eventInvoke: EventInvokeSettings | undefined;
  readonly #kernel: Kernel;
  #configuration: FunctionConfiguration;
  #lastModified: number;
  #revisionId: string = randomUUID();
  readonly #statements = new Map<string, PolicyStatement>();
  #policy: PolicyDocument | undefined;

  constructor(kernel: Kernel, configuration: FunctionConfiguration) {
    this.#kernel = kernel;
    this.#configuration = configuration;
    this.arn = kernel.arn('lambda', `function:${configuration.name}`);
    this.#lastModified = kernel.clock.now();
  }

  get configuration(): FunctionConfiguration {
    return this.#configuration;
  }

  get lastModified(): number {
    return this.#lastModified;
  }

  /** Another one for each version of code and configuration. */
  get revisionId(): string {
    return this.#revisionId;
  }

  /** Environments that run go on with what they have: who changes a function ends them. */
  configure(configuration: FunctionConfiguration): void {
    this.#configuration = configuration;
    this.#lastModified = this.#kernel.clock.now();
    this.#revisionId = randomUUID();
  }

  get kept(): KeptFunction {
    const { taskRoot: _, ...configuration } = this.#configuration;
    const { lastModified, revisionId, tags, reservedConcurrency, eventInvoke } = this;
    const statements = this.#statements;
    return { configuration, lastModified, revisionId, tags, statements, reservedConcurrency, eventInvoke };
  }

  /** Takes over a kept function, but for its reserved concurrency. */
  restore({ lastModified, revisionId, tags, statements, eventInvoke }: KeptFunction): void {
    this.#lastModified = lastModified;
    this.#revisionId = revisionId;
    for (const [name, value] of tags) this.tags.set(name, value);
    for (const [id, statement] of statements) this.#statements.set(id, statement);
    this.eventInvoke = eventInvoke;
    this.#rebuildPolicy();
  }

  /** The function's own policy: who else may invoke it. Undefined while it has no statement. */
  get policy(): PolicyDocument | undefined {
    return this.#policy;
  }

  hasStatement(id: string): boolean {
    return this.#statements.has(id);
  }

  addStatement(id: string, statement: PolicyStatement): void {
    this.#statements.set(id, statement);
    this.#rebuildPolicy();
  }

  removeStatement(id: string): void {
    this.#statements.delete(id);
    this.#rebuildPolicy();
  }

  /**
   * A session of the function's role.
   *
   * @throws AwsError when the role does not exist or does not trust Lambda
   */
  assumeRole(): Caller {
    const service = this.#kernel.serviceCaller('lambda.amazonaws.com', this.arn);
    return this.#kernel.iam.assumeRole(this.configuration.roleArn, service, this.configuration.name);
  }

  #rebuildPolicy(): void {
    const Statement = [...this.#statements.values()];
    // IAM compiles a document once, by its identity: a change makes a new one.
    this.#policy = Statement.length > 0 ? { Version: '2012-10-17', Id: 'default', Statement } : undefined;
  }
}
