import type { Kernel } from '../../kernel/kernel.ts';
import { recordMetrics, type ServiceMetric } from '../cloudwatch/record-metrics.ts';
import type { Concurrency } from './concurrency.ts';
import type { EnvironmentPool } from './environment-pool.ts';
import type { ExecutionEnvironment, InvocationRequest, InvocationResult } from './execution-environment.ts';
import type { LambdaFunction } from './lambda-function.ts';

export interface Invocation extends InvocationResult {
  /** The last lines of the log. */
  readonly tail: string;
}

/** Runs invocations: concurrency, an environment, the platform's lines in the log, the function's metrics. */
export class Invoker {
  readonly #kernel: Kernel;
  readonly #pool: EnvironmentPool;
  readonly #concurrency: Concurrency;

  constructor(kernel: Kernel, pool: EnvironmentPool, concurrency: Concurrency) {
    this.#kernel = kernel;
    this.#pool = pool;
    this.#concurrency = concurrency;
  }

  /**
   * Runs one invocation now.
   *
   * @throws AwsError TooManyRequestsException when a limit of concurrency is reached
   */
  async invoke(fn: LambdaFunction, request: InvocationRequest): Promise<Invocation> {
    const running = this.tryInvoke(fn, request);
    if (running) return running;
    this.record(fn, { Throttles: 1 });
    throw this.#concurrency.refusal(fn);
  }

  /** The same, but undefined when a limit is reached. */
  tryInvoke(fn: LambdaFunction, request: InvocationRequest): Promise<Invocation> | undefined {
    if (!this.#concurrency.tryAcquire(fn)) return undefined;
    return this.#run(fn, request).finally(() => this.#concurrency.release(fn));
  }

  /** Adds to metrics of the function in AWS/Lambda; times are in milliseconds. */
  record(fn: LambdaFunction, values: Readonly<Record<string, number>>): void {
    if (this.#kernel.isClosing) return;
    const dimensions = { FunctionName: fn.configuration.name };
    const metrics = Object.entries(values).map(([metricName, value]): ServiceMetric => {
      const unit = metricName === 'Duration' || metricName.endsWith('Age') ? 'Milliseconds' : 'Count';
      return { namespace: 'AWS/Lambda', metricName, dimensions, value, unit };
    });
    const caller = this.#kernel.serviceCaller('lambda.amazonaws.com', fn.arn);
    this.#kernel.activity.track(() => recordMetrics(this.#kernel, caller, metrics));
  }

  #meter({ configuration: { name, memoryMb, architecture } }: LambdaFunction, billedMs: number): void {
    const { meter } = this.#kernel;
    meter.add('lambdaRequest', name);
    meter.add(architecture === 'arm64' ? 'lambdaArm' : 'lambdaX86', name, (memoryMb / 1024) * (billedMs / 1000));
  }

  async #run(fn: LambdaFunction, request: InvocationRequest): Promise<Invocation> {
    const environment = await this.#pool.acquire(fn);
    try {
      const initMs = environment.takeInitDurationMs();
      writeStart(environment, request.requestId);
      const harm = this.#kernel.faults.draw(
        'invocation',
        { function: fn.configuration.name },
        { harms: ['error', 'lose-result'] },
      );
      if (harm?.do === 'error') environment.crash();
      const ended = await environment.invoke(request);
      const result = harm?.do === 'lose-result' ? environment.crashWithResult(ended, request.requestId) : ended;
      const billedMs = Math.ceil(result.durationMs + (initMs ?? 0));
      this.#meter(fn, billedMs);
      writeReport(environment, request.requestId, result, billedMs, initMs);
      environment.log.flush();
      this.record(fn, {
        Invocations: 1,
        Errors: result.failed ? 1 : 0,
        Throttles: 0,
        Duration: result.durationMs,
        ConcurrentExecutions: this.#concurrency.running(fn),
      });
      return { ...result, tail: environment.takeTail() };
    } finally {
      this.#pool.release(environment);
    }
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html and monitoring-cloudwatchlogs-logformat.html */
function writeStart(environment: ExecutionEnvironment, requestId: string): void {
  if (environment.fn.configuration.logging.format === 'JSON') {
    writePlatformEvent(environment, 'platform.start', { requestId, version: '$LATEST' });
  } else {
    environment.addLine(`START RequestId: ${requestId} Version: $LATEST\n`);
  }
}

function writeReport(
  environment: ExecutionEnvironment,
  requestId: string,
  { durationMs, heapBytes, failed }: InvocationResult,
  billedMs: number,
  initMs: number | undefined,
): void {
  const { memoryMb, logging } = environment.fn.configuration;
  const maxMemoryUsedMb = Math.ceil(heapBytes / 1024 / 1024);
  if (logging.format === 'JSON') {
    writePlatformEvent(environment, 'platform.report', {
      requestId,
      metrics: {
        durationMs: Number(durationMs.toFixed(3)),
        billedDurationMs: billedMs,
        memorySizeMB: memoryMb,
        maxMemoryUsedMB: maxMemoryUsedMb,
        ...(initMs !== undefined && { initDurationMs: Number(initMs.toFixed(3)) }),
      },
      status: failed ? 'error' : 'success',
    });
    return;
  }
  environment.addLine(`END RequestId: ${requestId}\n`);
  environment.addLine(
    `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${billedMs} ms\tMemory Size: ${memoryMb} MB\tMax Memory Used: ${maxMemoryUsedMb} MB\t${initMs === undefined ? '' : `Init Duration: ${initMs.toFixed(2)} ms\t`}\n`,
  );
}

function writePlatformEvent(environment: ExecutionEnvironment, type: string, record: Record<string, unknown>): void {
  const { systemLogLevel } = environment.fn.configuration.logging;
  if (systemLogLevel === 'WARN') return;
  environment.addLine(`${JSON.stringify({ time: environment.timestamp(), type, record })}\n`);
}
