import { AwsError, invalid } from '../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import {
  DeliveryStream,
  type KeptDelivery,
  type KeptDeliveryStream,
  type KeptRecordOfBuffer,
} from './delivery-stream.ts';
import { checkDestination } from './destination.ts';

const NAME = /^[a-zA-Z0-9_.-]{1,64}$/;

/** The delivery streams of the account. */
export class DeliveryStreams {
  readonly kernel: Kernel;
  readonly #streams = new Map<string, DeliveryStream>();
  /** Deliveries of an earlier start, until they go on. */
  #kept: readonly KeptDelivery[] = [];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get names(): readonly string[] {
    return [...this.#streams.keys()].sort();
  }

  /** @throws AwsError InvalidArgumentException */
  checkName(name: string | undefined): string {
    if (name !== undefined && NAME.test(name)) return name;
    throw invalid(`DeliveryStreamName must match [a-zA-Z0-9_.-]{1,64}, got ${name}`, 'InvalidArgumentException');
  }

  arn(name: string): string {
    return this.kernel.arn('firehose', `deliverystream/${name}`);
  }

  /** The permission for an action on the delivery stream that a request names. */
  permission(action: string, name: string | undefined): Permission {
    return { action: `firehose:${action}`, resource: this.arn(this.checkName(name)) };
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string | undefined): DeliveryStream {
    const stream = this.#streams.get(this.checkName(name));
    if (stream !== undefined) return stream;
    throw new AwsError(
      'ResourceNotFoundException',
      `Firehose ${name} under account ${this.kernel.accountId} not found.`,
    );
  }

  /** @throws AwsError ResourceInUseException */
  checkFree(name: string): void {
    if (!this.#streams.has(name)) return;
    throw new AwsError(
      'ResourceInUseException',
      `Firehose ${name} under accountId ${this.kernel.accountId} already exists`,
    );
  }

  *save(): Generator<KeptRecord> {
    for (const stream of this.#streams.values()) yield* stream.save();
  }

  restore(records: KeptRecords): void {
    const buffered = Map.groupBy(records.all<KeptRecordOfBuffer>('buffer/'), ({ streamName }) => streamName);
    for (const kept of records.all<KeptDeliveryStream>('stream/')) {
      const { name, destination, encryption } = kept;
      const stream = new DeliveryStream(this.kernel, name, this.arn(name), checkDestination(destination), encryption);
      const inOrder = (buffered.get(name) ?? []).sort((a, b) => a.number - b.number);
      stream.restore(kept, inOrder);
      this.add(stream);
    }
    this.#kept = [...records.all<KeptDelivery>('delivery/')];
  }

  resume(): void {
    for (const { streamName, delivery } of this.#kept) this.#streams.get(streamName)?.resume(delivery);
    this.#kept = [];
  }

  add(stream: DeliveryStream): void {
    this.#streams.set(stream.name, stream);
  }

  delete(stream: DeliveryStream): void {
    this.#streams.delete(stream.name);
  }
}
