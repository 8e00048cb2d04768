import type { Kernel } from '../kernel/kernel.ts';

/**
 * Tells event sources in this process that a stream of Kinesis or of DynamoDB has new records, so that they need not
 * poll. It carries no records: those are read with GetRecords, under the reader's own permissions. Not a part of the API.
 */
class StreamSignals {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Calls `listener` after records were added to the stream. Gives the function that ends it. */
  onRecords(streamArn: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(streamArn) ?? new Set();
    this.#listeners.set(streamArn, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** For the service: records were added. */
  added(streamArn: string): void {
    for (const listener of this.#listeners.get(streamArn) ?? []) listener();
  }
}

const ofKernel = new WeakMap<Kernel, StreamSignals>();

/** The signals of the streams of this kernel, by ARN, whoever asks first. */
export function streamSignals(kernel: Kernel): StreamSignals {
  const signals = ofKernel.get(kernel) ?? new StreamSignals();
  ofKernel.set(kernel, signals);
  return signals;
}
