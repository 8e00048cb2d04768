/** One delivery stream: buffers records and writes them to S3 as its role, by size or by time, until it succeeds. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { DeliveryStreamEncryptionConfiguration } from '@aws-sdk/client-firehose';
import type { Timer } from '../../kernel/clock.ts';
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
  readonly body: Buffer;
  readonly records: number;
  /** When the oldest record arrived. */
  readonly arrivedAt: number;
  readonly giveUpAt: number;
}

export class DeliveryStream {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly destination: S3Destination;
  readonly encryption: DeliveryStreamEncryptionConfiguration;
  readonly tags = new Map<string, string>();
  /** "Begins with 1 and increases by 1 for every configuration change"; nothing here changes it. */
  readonly version = '1';
  readonly #kernel: Kernel;
  #buffer: Buffer[] = [];
  #bufferedBytes = 0;
  #bufferedSince = 0;
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
    this.destination = destination;
    this.encryption = encryption;
  }

  /** Takes a record into the buffer; a full buffer goes out at once. */
  add(record: Buffer): void {
    const { delimiter, intervalSeconds, sizeMb } = this.destination;
    if (this.#buffer.length === 0) {
      this.#bufferedSince = this.#kernel.clock.now();
      this.#timer = this.#kernel.clock.after(intervalSeconds * 1000, () => this.flush());
    }
    this.#kernel.meter.add('firehoseIn', this.name, roundedUp(record.length, FIREHOSE_RECORD_BYTES));
    this.#buffer.push(record);
    this.#bufferedBytes += record.length + delimiter.length;
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
    const delivery = {
      // One key for all attempts: an attempt that succeeded without an answer is overwritten by the next.
      key: objectKey(prefix, this.name, this.version, new Date(arrivedAt), extension),
      records: this.#buffer.length,
      arrivedAt,
      giveUpAt: this.#kernel.clock.now() + RETRY_MS,
    };
    this.#buffer = [];
    this.#bufferedBytes = 0;
    this.#kernel.activity.track(async () => {
      const compressed = compression === 'GZIP' ? await compress(body) : body;
      await this.#deliver({ ...delivery, body: compressed }, FIRST_RETRY_MS);
    });
  }

  async #deliver(delivery: Delivery, retryMs: number): Promise<void> {
    const { clock, log } = this.#kernel;
    try {
      await this.#write(delivery);
    } catch (error) {
      this.#measure('DeliveryToS3.Success', 0, 'None');
      const fields = { deliveryStream: this.name, records: delivery.records, key: delivery.key, error };
      if (clock.now() >= delivery.giveUpAt) {
        log.error('Firehose could not deliver records to S3 for 24 hours and drops them', fields);
        return;
      }
      log.warn('Firehose could not deliver records to S3 and tries again', { ...fields, retrySeconds: retryMs / 1000 });
      clock.after(retryMs, () => this.#deliver(delivery, Math.min(2 * retryMs, LONGEST_RETRY_MS)));
      return;
    }
    this.#measure('DeliveryToS3.Success', 1, 'None');
    this.#measure('DeliveryToS3.Records', delivery.records, 'Count');
    this.#measure('DeliveryToS3.Bytes', delivery.body.length, 'Bytes');
    this.#measure('DeliveryToS3.DataFreshness', (clock.now() - delivery.arrivedAt) / 1000, 'Seconds');
  }

  async #write({ key, body }: Delivery): Promise<void> {
    const { roleArn, bucketArn } = this.destination;
    const service = this.#kernel.serviceCaller('firehose.amazonaws.com', this.arn);
    const session = this.#kernel.iam.assumeRole(roleArn, service, this.name);
    const Bucket = bucketArn.slice(bucketArn.lastIndexOf(':') + 1);
    const input = { Bucket, Key: key, Body: body, ContentType: 'application/octet-stream' };
    await this.#kernel.call('s3', 'PutObject', input, session);
  }

  #measure(metricName: string, value: number, unit: string): void {
    const caller = this.#kernel.serviceCaller('firehose.amazonaws.com', this.arn);
    const dimensions = { DeliveryStreamName: this.name };
    const input = { namespace: 'AWS/Firehose', metricName, dimensions, value, unit };
    this.#kernel.activity.track(() => this.#kernel.call('cloudwatch', 'RecordServiceMetric', input, caller));
  }
}
