/** One delivery stream: buffers records and writes them to S3 as its role, by size or by time, until it succeeds. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type {
  DeliveryStreamEncryptionConfiguration,
  ExtendedS3DestinationConfiguration,
} from '@aws-sdk/client-firehose';
import type { Timer } from '../../kernel/clock.ts';
import type { KeptRecord } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { FIREHOSE_RECORD_BYTES, roundedUp } from '../../meter/increments.ts';
import type { S3Destination } from './destination.ts';
import { objectKey } from './object-key.ts';

/** "Firehose retries for up to 24 hours." */
const RETRY_MS = 24 * 3_600_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

const compress = promisify(gzip);

interface Delivery {
  readonly key: string;
  /** Before it is compressed. */
  readonly body: Buffer;
  readonly compression: S3Destination['compression'];
  readonly records: number;
  /** When the oldest record arrived. */
  readonly arrivedAt: number;
  readonly giveUpAt: number;
}

/** A record that is buffered, and since when the buffer fills, as it is kept. */
export interface KeptRecordOfBuffer {
  readonly streamName: string;
  readonly number: number;
  readonly record: Buffer;
  readonly since: number;
}

/** A delivery that has not succeeded yet, as it is kept. */
export interface KeptDelivery {
  readonly streamName: string;
  readonly delivery: Delivery;
}

/** A stream as it is kept, without what it has to deliver. */
export interface KeptDeliveryStream {
  readonly name: string;
  readonly createdAt: number;
  readonly version: number;
  readonly destination: ExtendedS3DestinationConfiguration;
  readonly encryption: DeliveryStreamEncryptionConfiguration;
  readonly tags: ReadonlyMap<string, string>;
}

export class DeliveryStream {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly encryption: DeliveryStreamEncryptionConfiguration;
  readonly tags = new Map<string, string>();
  readonly #kernel: Kernel;
  readonly #deliveries = new Set<Delivery>();
  #destination: S3Destination;
  #version = 1;
  #buffer: Buffer[] = [];
  #bufferedBytes = 0;
  #bufferedSince = 0;
  /** How many records there have been. */
  #taken = 0;
  #timer: Timer | undefined;

  constructor(
    kernel: Kernel,
    name: string,
    arn: string,
    destination: S3Destination,
    encryption: DeliveryStreamEncryptionConfiguration,
  ) {
    this.#kernel = kernel;
    this.name = name;
    this.arn = arn;
    this.createdAt = kernel.clock.now();
    this.#destination = destination;
    this.encryption = encryption;
  }

  get destination(): S3Destination {
    return this.#destination;
  }

  /** "Begins with 1 and increases by 1 for every configuration change". */
  get version(): string {
    return String(this.#version);
  }

  /** Sends what comes from now on elsewhere, or in another way; what is buffered goes where it was meant to go. */
  changeDestination(destination: S3Destination): void {
    this.flush();
    this.#destination = destination;
    this.#version += 1;
  }

  *save(): Generator<KeptRecord> {
    const { name, createdAt, encryption, tags } = this;
    const destination = this.#destination.given;
    const kept: KeptDeliveryStream = { name, createdAt, version: this.#version, destination, encryption, tags };
    yield [`stream/${name}`, kept];
    const first = this.#taken - this.#buffer.length;
    for (const [at, record] of this.#buffer.entries()) {
      const buffered: KeptRecordOfBuffer = { streamName: name, number: first + at, record, since: this.#bufferedSince };
      yield [`buffer/${name}/${first + at}`, buffered, record];
    }
    for (const delivery of this.#deliveries) {
      yield [`delivery/${name}/${delivery.key}`, { streamName: name, delivery } satisfies KeptDelivery, delivery];
    }
  }

  /** Takes over a kept stream; its buffer goes out when its time has come. */
  restore({ createdAt, version, tags }: KeptDeliveryStream, buffered: readonly KeptRecordOfBuffer[]): void {
    Object.assign(this, { createdAt });
    this.#version = version;
    for (const [name, value] of tags) this.tags.set(name, value);
    const [first] = buffered;
    if (!first) return;
    this.#taken = first.number;
    for (const { record } of buffered) this.#buffered(record);
    this.#bufferedSince = first.since;
    this.#flushAt(first.since + this.destination.intervalSeconds * 1000);
  }

  /** Goes on with a delivery of an earlier start. */
  resume(delivery: Delivery): void {
    this.#deliveries.add(delivery);
    this.#kernel.activity.track(() => this.#deliver(delivery, FIRST_RETRY_MS));
  }

  /** Takes a record into the buffer; a full buffer goes out at once. */
  add(record: Buffer): void {
    const { intervalSeconds, sizeMb } = this.destination;
    if (this.#buffer.length === 0) {
      this.#bufferedSince = this.#kernel.clock.now();
      this.#flushAt(this.#bufferedSince + intervalSeconds * 1000);
    }
    this.#kernel.meter.add('firehoseIn', this.name, roundedUp(record.length, FIREHOSE_RECORD_BYTES));
    this.#buffered(record);
    if (this.#bufferedBytes >= sizeMb * 1024 * 1024) this.flush();
  }

  /** Sends what is buffered on its way. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#buffer.length === 0) return;
    const { delimiter, compression, prefix, extension } = this.destination;
    const separator = Buffer.from(delimiter, 'utf8');
    const body = Buffer.concat(delimiter === '' ? this.#buffer : this.#buffer.flatMap((each) => [each, separator]));
    const arrivedAt = this.#bufferedSince;
    const delivery: Delivery = {
      // One key for all attempts: an attempt that succeeded without an answer is overwritten by the next.
      key: objectKey(prefix, this.name, this.version, new Date(arrivedAt), extension),
      body,
      compression,
      records: this.#buffer.length,
      arrivedAt,
      giveUpAt: this.#kernel.clock.now() + RETRY_MS,
    };
    this.#buffer = [];
    this.#bufferedBytes = 0;
    this.resume(delivery);
  }

  #buffered(record: Buffer): void {
    this.#taken += 1;
    this.#buffer.push(record);
    this.#bufferedBytes += record.length + this.destination.delimiter.length;
  }

  #flushAt(time: number): void {
    this.#timer = this.#kernel.clock.at(time, () => this.flush());
  }

  async #deliver(delivery: Delivery, retryMs: number): Promise<void> {
    const { clock, log } = this.#kernel;
    let bytes: number;
    try {
      bytes = await this.#write(delivery);
    } catch (error) {
      this.#measure('DeliveryToS3.Success', 0, 'None');
      const fields = { deliveryStream: this.name, records: delivery.records, key: delivery.key, error };
      if (clock.now() >= delivery.giveUpAt) {
        this.#deliveries.delete(delivery);
        log.error('Firehose could not deliver records to S3 for 24 hours and drops them', fields);
        return;
      }
      log.warn('Firehose could not deliver records to S3 and tries again', { ...fields, retrySeconds: retryMs / 1000 });
      clock.after(retryMs, () => this.#deliver(delivery, Math.min(2 * retryMs, LONGEST_RETRY_MS)));
      return;
    }
    this.#deliveries.delete(delivery);
    this.#measure('DeliveryToS3.Success', 1, 'None');
    this.#measure('DeliveryToS3.Records', delivery.records, 'Count');
    this.#measure('DeliveryToS3.Bytes', bytes, 'Bytes');
    this.#measure('DeliveryToS3.DataFreshness', (clock.now() - delivery.arrivedAt) / 1000, 'Seconds');
  }

  /** Gives how many bytes were written. */
  async #write({ key, body, compression }: Delivery): Promise<number> {
    const Body = compression === 'GZIP' ? await compress(body) : body;
    const { roleArn, bucketArn, encryption } = this.destination;
    const keyArn = encryption.KMSEncryptionConfig?.AWSKMSKeyARN;
    const service = this.#kernel.serviceCaller('firehose.amazonaws.com', this.arn);
    const session = this.#kernel.iam.assumeRole(roleArn, service, this.name);
    const Bucket = bucketArn.slice(bucketArn.lastIndexOf(':') + 1);
    const input = {
      ...{ Bucket, Key: key, Body, ContentType: 'application/octet-stream' },
      ...(keyArn !== undefined && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn }),
    };
    await this.#kernel.call('s3', 'PutObject', input, session);
    return Body.length;
  }

  #measure(metricName: string, value: number, unit: string): void {
    const caller = this.#kernel.serviceCaller('firehose.amazonaws.com', this.arn);
    const dimensions = { DeliveryStreamName: this.name };
    const input = { namespace: 'AWS/Firehose', metricName, dimensions, value, unit };
    this.#kernel.activity.track(() => this.#kernel.call('cloudwatch', 'RecordServiceMetric', input, caller));
  }
}
