/** Messages that go to an HTTP endpoint together: https://docs.aws.amazon.com/iot/latest/developerguide/http_batching.html */
import type { Timer } from '../../../kernel/clock.ts';
import type { Kernel } from '../../../kernel/kernel.ts';

export interface BatchLimits {
  readonly maxOpenMs: number;
  readonly maxSize: number;
  /** Of the whole JSON array. */
  readonly maxSizeBytes: number;
}

interface Batch<Context> {
  readonly messages: string[];
  bytes: number;
  /** Of the last message added: its headers are the batch's. */
  context: Context;
  readonly timer: Timer;
  readonly sent: Promise<unknown>;
  readonly close: () => void;
}

/** Collects messages by key; the first limit that is reached sends a batch. */
export class HttpBatches<Context> {
  readonly #kernel: Kernel;
  readonly #send: (body: string, context: Context) => Promise<unknown>;
  readonly #open = new Map<string, Batch<Context>>();

  constructor(kernel: Kernel, send: (body: string, context: Context) => Promise<unknown>) {
    this.#kernel = kernel;
    this.#send = send;
  }

  /** Adds a JSON text; settles as the request settles that it goes with. */
  add(key: string, message: string, limits: BatchLimits, context: Context): Promise<unknown> {
    const bytes = Buffer.byteLength(message) + 1;
    const open = this.#open.get(key);
    if (open && open.bytes + bytes > limits.maxSizeBytes) open.close();
    const batch = this.#open.get(key) ?? this.#begin(key, limits, context);
    batch.messages.push(message);
    batch.bytes += bytes;
    batch.context = context;
    if (batch.messages.length >= limits.maxSize) batch.close();
    return batch.sent;
  }

  #begin(key: string, { maxOpenMs }: BatchLimits, context: Context): Batch<Context> {
    let close = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      close = () => {
        this.#open.delete(key);
        batch.timer.cancel();
        resolve();
      };
    });
    const batch: Batch<Context> = {
      messages: [],
      // The brackets; each message counts its comma.
      bytes: 1,
      context,
      timer: this.#kernel.clock.after(maxOpenMs, () => close()),
      sent: closed.then(() => this.#send(`[${batch.messages.join(',')}]`, batch.context)),
      close: () => close(),
    };
    this.#open.set(key, batch);
    return batch;
  }
}
