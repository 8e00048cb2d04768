/**
 * One execution environment: a thread with its own `process.env`, module state, clock and memory limit, that runs one
 * invocation at a time. It ends by a timeout, by leaving its memory limit, by `process.exit`, or with the runtime.
 */
import { Worker } from 'node:worker_threads';
import type { Kernel } from '../../kernel/kernel.ts';
import { compileCacheVariables } from './compile-cache.ts';
import { environmentOf } from './environment-variables.ts';
import { InvocationLog } from './invocation-log.ts';
import type { LambdaFunction } from './lambda-function.ts';
import type { EnvironmentData, EnvironmentMessage, ErrorDocument, InvokeMessage } from './runtime/messages.ts';

/** A session that is about to expire must not be handed to code that may still run for fifteen minutes. */
const CREDENTIALS_SECONDS = 12 * 3600;
const CREDENTIALS_RESERVE_MS = 20 * 60_000;
/** "The Init phase is limited to 10 seconds." */
const INIT_LIMIT_MS = 10_000;
const TAIL_LINES = 200;
/**
 * Node.js would let the space for new objects grow to a hundred megabytes or more in each thread, and gives it back late
 * or never. AWS allows a tenth of the function's memory, for one environment on a machine of its own; here dozens share one.
 */
const YOUNG_GENERATION_MB = 6;
const KILLED: ErrorDocument = {
  errorType: 'Runtime.ExitError',
  errorMessage: 'Error: Runtime exited with error: signal: killed',
};

export interface InvocationRequest {
  readonly requestId: string;
  /** JSON */
  readonly payload: string;
  readonly clientContext: string | undefined;
  readonly traceId: string;
}

export interface InvocationResult {
  /** JSON: what the handler returned, or an error document. */
  readonly payload: string;
  readonly failed: boolean;
  readonly durationMs: number;
  readonly heapBytes: number;
}

interface Settled {
  readonly payload: string;
  readonly failed: boolean;
  readonly heapBytes: number;
}

export class ExecutionEnvironment {
  readonly fn: LambdaFunction;
  readonly log: InvocationLog;
  #tail: string[] = [];
  readonly #kernel: Kernel;
  readonly #worker: Worker;
  readonly #accessKeyId: string;
  readonly #credentialsExpireAt: number;
  readonly #started: Promise<void>;
  readonly #onStarted: () => void;
  readonly #startedAt = performance.now();
  #initDurationMs: number | undefined;
  #settle: ((settled: Settled) => void) | undefined;
  #fatal: string | undefined;
  #ended = false;

  /** @throws AwsError when the function's role cannot be assumed */
  constructor(kernel: Kernel, fn: LambdaFunction) {
    this.fn = fn;
    this.#kernel = kernel;
    const { configuration } = fn;
    const session = fn.assumeRole();
    const credentials = kernel.iam.issueCredentials(session, CREDENTIALS_SECONDS);
    this.#accessKeyId = credentials.accessKeyId;
    this.#credentialsExpireAt = credentials.expiresAt;
    kernel.faults.environments.set(credentials.accessKeyId, {
      functionName: configuration.name,
      crash: () => this.crash(),
    });
    this.log = new InvocationLog(kernel, fn, session);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#started = promise;
    this.#onStarted = resolve;
    this.#worker = new Worker(new URL('./runtime/bootstrap.ts', import.meta.url), {
      name: configuration.name,
      env: {
        ...environmentOf(kernel, fn, credentials, this.log.streamName),
        ...compileCacheVariables(configuration.taskRoot),
      },
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: configuration.memoryMb,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      },
      workerData: {
        runtime: configuration.runtime,
        handler: configuration.handler,
        taskRoot: configuration.taskRoot,
        logFormat: configuration.logging.format,
        applicationLogLevel: configuration.logging.applicationLogLevel,
        clockOffsetMs: kernel.clock.offsetMs,
      } satisfies EnvironmentData,
    });
    this.#worker.on('message', (message: EnvironmentMessage) => this.#receive(message));
    this.#worker.on('error', (error) => this.#end(outOfMemoryOr(error)));
    this.#worker.on('exit', (code) => this.#end(exitError(code)));
  }

  /** False once the thread has ended or its credentials are about to expire: it must not get another invocation. */
  get isUsable(): boolean {
    return !this.#ended && this.#credentialsExpireAt - this.#kernel.clock.now() > CREDENTIALS_RESERVE_MS;
  }

  /** Resolves when the code is loaded, or after as long as Lambda waits for that; a failure shows in the invocation. */
  async started(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, INIT_LIMIT_MS);
    });
    await Promise.race([this.#started, limit]);
    clearTimeout(timer);
    this.#initDurationMs = performance.now() - this.#startedAt;
  }

  /** How long the start took; told once, with the first invocation. */
  takeInitDurationMs(): number | undefined {
    const taken = this.#initDurationMs;
    this.#initDurationMs = undefined;
    return taken;
  }

  /** Runs one invocation, when it has started. Never rejects: what goes wrong is a failed result. */
  async invoke(request: InvocationRequest): Promise<InvocationResult> {
    const { configuration } = this.fn;
    const startedAt = performance.now();
    const timeoutMs = configuration.timeoutSeconds * 1000;
    const settled = await this.#run(request, timeoutMs);
    return { ...settled, durationMs: performance.now() - startedAt };
  }

  /** Adds a line to the log. */
  addLine(line: string): void {
    this.log.add(line);
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }

  /** The last lines of the log since the last call: what LogType Tail shows of one invocation. */
  takeTail(): string {
    const tail = this.#tail.join('');
    this.#tail = [];
    return tail;
  }

  /** Virtual time as the log writes it. */
  timestamp(): string {
    return new Date(this.#kernel.clock.now()).toISOString();
  }

  /** Dies as a process that is killed: the invocation under way fails, and no other begins. */
  crash(): void {
    this.#end(KILLED);
    void this.terminate();
  }

  /** Crashes between the handler's end and the platform's hearing of it; gives what the invoker is told. */
  crashWithResult(result: InvocationResult, requestId: string): InvocationResult {
    this.crash();
    const settled = withRequestId({ ...result, payload: JSON.stringify(KILLED), failed: true }, requestId);
    return { ...result, ...settled };
  }

  /** Ends the thread, whatever it does. */
  async terminate(): Promise<void> {
    this.#ended = true;
    this.#kernel.faults.environments.delete(this.#accessKeyId);
    this.log.flush();
    await this.#worker.terminate();
  }

  #run(request: InvocationRequest, timeoutMs: number): Promise<Settled> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const text = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
        this.addLine(`${this.timestamp()} ${request.requestId} ${text}\n\n`);
        this.#end({ errorType: 'Sandbox.Timedout', errorMessage: `Error: ${text}` });
        void this.terminate();
      }, timeoutMs);
      this.#settle = (settled) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(withRequestId(settled, request.requestId));
      };
      if (this.#ended) {
        this.#settle({ payload: this.#fatal ?? JSON.stringify(exitError(0)), failed: true, heapBytes: 0 });
        return;
      }
      this.#worker.postMessage({
        requestId: request.requestId,
        event: request.payload,
        functionArn: this.fn.arn,
        clientContext: request.clientContext,
        traceId: request.traceId,
        timeoutMs,
        clockOffsetMs: this.#kernel.clock.offsetMs,
      } satisfies InvokeMessage);
    });
  }

  #receive(message: EnvironmentMessage): void {
    switch (message.type) {
      case 'ready':
        this.#onStarted();
        break;
      case 'output':
        this.addLine(message.text);
        break;
      case 'result':
        this.#settle?.({ payload: message.payload, failed: false, heapBytes: message.heapBytes });
        break;
      case 'error':
        this.#settle?.({ payload: message.error, failed: true, heapBytes: message.heapBytes });
        break;
      case 'fatal':
        this.#fatal = message.error;
        this.#ended = true;
        this.#onStarted();
        this.#settle?.({ payload: message.error, failed: true, heapBytes: 0 });
        void this.terminate();
        break;
    }
  }

  #end(error: ErrorDocument): void {
    this.#ended = true;
    this.#fatal ??= JSON.stringify(error);
    this.#onStarted();
    this.#settle?.({ payload: this.#fatal, failed: true, heapBytes: 0 });
  }
}

function outOfMemoryOr(error: unknown): ErrorDocument {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { errorType: 'Runtime.OutOfMemory', errorMessage: 'Error: Runtime exited with error: signal: killed' };
  }
  return { errorType: 'Runtime.ExitError', errorMessage: `Error: Runtime exited with error: ${String(error)}` };
}

function exitError(code: number): ErrorDocument {
  const reason = code === 0 ? 'without providing a reason' : `with error: exit status ${code}`;
  return { errorType: 'Runtime.ExitError', errorMessage: `Error: Runtime exited ${reason}` };
}

/** Errors of the platform name the request, as Lambda writes them. */
function withRequestId(settled: Settled, requestId: string): Settled {
  if (!settled.failed) return settled;
  const document = JSON.parse(settled.payload) as ErrorDocument;
  if (!/^(Sandbox\.Timedout|Runtime\.(ExitError|OutOfMemory))$/.test(document.errorType)) return settled;
  const errorMessage = `RequestId: ${requestId} ${document.errorMessage}`;
  return { ...settled, payload: JSON.stringify({ ...document, errorMessage }) };
}
