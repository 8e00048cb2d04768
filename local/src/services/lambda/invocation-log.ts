/** The log stream of one execution environment, written with the permissions of the function's role. */
import { randomBytes } from 'node:crypto';
import type { Caller } from '../../kernel/caller.ts';
import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { LambdaFunction } from './lambda-function.ts';

const FLUSH_AFTER_MS = 1000;
/** PutLogEvents takes 1 MiB; each event counts 26 bytes more than its text. */
const MAX_BATCH_BYTES = 1_000_000;
const MAX_EVENT_BYTES = 256 * 1024;

interface Line {
  readonly timestamp: number;
  readonly message: string;
}

export class InvocationLog {
  readonly streamName: string;
  readonly #kernel: Kernel;
  readonly #group: string;
  readonly #functionName: string;
  readonly #role: Caller;
  #lines: Line[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasStream = false;
  #refused = false;

  constructor(kernel: Kernel, { configuration }: LambdaFunction, role: Caller) {
    this.#kernel = kernel;
    this.#group = configuration.logging.group;
    this.#functionName = configuration.name;
    this.#role = role;
    const day = new Date(kernel.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    this.streamName = `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
  }

  /** Adds one event; it is written when the invocation ends, or a second later. */
  add(message: string): void {
    const text = Buffer.byteLength(message) > MAX_EVENT_BYTES ? message.slice(0, MAX_EVENT_BYTES / 4) : message;
    if (text === '') return;
    this.#lines.push({ timestamp: this.#kernel.clock.now(), message: text });
    if (this.#timer) return;
    this.#timer = setTimeout(() => this.flush(), FLUSH_AFTER_MS);
    this.#timer.unref();
  }

  /** Writes what there is, in the background. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const written = this.#writing.then(() => this.#write(lines));
    this.#writing = written;
    this.#kernel.activity.track(() => written);
  }

  async #write(lines: readonly Line[]): Promise<void> {
    try {
      if (!this.#hasStream) await this.#createStream();
      this.#hasStream = true;
      for (const logEvents of batches(lines)) {
        await this.#call('PutLogEvents', { logGroupName: this.#group, logStreamName: this.streamName, logEvents });
      }
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      // As on AWS the function runs on, without a log; here somebody is told, once.
      if (!this.#refused)
        this.#kernel.log.warn('a function cannot write its log', { function: this.#functionName, error });
      this.#refused = true;
    }
  }

  async #createStream(): Promise<void> {
    const names = { logGroupName: this.#group, logStreamName: this.streamName };
    try {
      await this.#call('CreateLogStream', names);
    } catch (error) {
      if (!(error instanceof AwsError && error.code === 'ResourceNotFoundException')) throw error;
      await this.#createGroup();
      await this.#call('CreateLogStream', names);
    }
  }

  async #createGroup(): Promise<void> {
    try {
      await this.#call('CreateLogGroup', { logGroupName: this.#group });
    } catch (error) {
      // Another environment was faster.
      if (!(error instanceof AwsError && error.code === 'ResourceAlreadyExistsException')) throw error;
    }
  }

  #call(operation: string, input: unknown): Promise<unknown> {
    return this.#kernel.call('logs', operation, input, this.#role);
  }
}

function batches(lines: readonly Line[]): Line[][] {
  const all: Line[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const size = Buffer.byteLength(line.message) + 26;
    if (bytes + size > MAX_BATCH_BYTES || (all.at(-1)?.length ?? 0) >= 10_000) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(line);
    bytes += size;
  }
  return all;
}
