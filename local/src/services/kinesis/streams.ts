import { AwsError } from '../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { CallContext, Permission } from '../../kernel/service.ts';
import type { Running } from '../../meter/meter.ts';
import { useKey } from '../use-key.ts';
import type { KeptShard, Shard, StoredRecord } from './shard.ts';
import { Stream, type StreamSettings } from './stream.ts';

/** How a request names a stream. */
export interface StreamAddress {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

interface KeptStream {
  readonly name: string;
  readonly createdAt: number;
  readonly settings: StreamSettings;
  readonly tags: ReadonlyMap<string, string>;
  readonly shards: readonly KeptShard[];
}

interface KeptStreamRecord {
  readonly streamName: string;
  readonly shardIndex: number;
  readonly record: StoredRecord;
}

const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/** The error for a value that Kinesis does not take. */
export function invalidArgument(message: string): AwsError {
  return new AwsError('InvalidArgumentException', message);
}

/** The streams of the account. */
export class Streams {
  readonly kernel: Kernel;
  readonly #streams = new Map<string, Stream>();
  readonly #charges = new Map<Stream, Running>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get names(): readonly string[] {
    return [...this.#streams.keys()].sort();
  }

  arn(name: string): string {
    return this.kernel.arn('kinesis', `stream/${name}`);
  }

  /** @throws AwsError InvalidArgumentException when a request names no stream, two, or none of this account */
  nameIn({ StreamName, StreamARN }: StreamAddress): string {
    const prefix = this.arn('');
    if (StreamARN !== undefined && !StreamARN.startsWith(prefix)) {
      throw invalidArgument(`StreamARN ${StreamARN} is not a stream of ${prefix}`);
    }
    const named = StreamARN?.slice(prefix.length);
    if (StreamName !== undefined && named !== undefined && StreamName !== named) {
      throw invalidArgument('StreamName and StreamARN name different streams');
    }
    const name = StreamName ?? named;
    if (name === undefined) throw invalidArgument('Either StreamName or StreamARN must be provided.');
    if (!STREAM_NAME.test(name)) {
      throw new AwsError(
        'ValidationException',
        `1 validation error detected: Value '${name}' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
      );
    }
    return name;
  }

  /** The permission for an action on the stream that a request names. */
  permission(action: string, address: StreamAddress): Permission {
    return { action: `kinesis:${action}`, resource: this.arn(this.nameIn(address)) };
  }

  /**
   * What producers and consumers of a stream with a customer's key have to be allowed. The key that AWS manages is for
   * everybody in the account (https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html).
   *
   * @throws AwsError KMSAccessDeniedException, KMSDisabledException, KMSInvalidStateException, KMSNotFoundException
   */
  async requireKey(
    { arn, settings: { keyId } }: Stream,
    action: 'GenerateDataKey' | 'Decrypt',
    context: CallContext,
  ): Promise<void> {
    if (keyId === undefined || keyId.endsWith('alias/aws/kinesis')) return;
    const encryptionContext = { 'aws:kinesis:arn': arn };
    const errorCode = (kind: string) => `KMS${kind}Exception`;
    const key = { keyId, resourceArn: arn, service: 'kinesis', encryptionContext, errorCode };
    await useKey(this.kernel, key, [action], context);
  }

  /** @throws AwsError ResourceNotFoundException */
  get(address: StreamAddress): Stream {
    const name = this.nameIn(address);
    const stream = this.#streams.get(name);
    if (stream !== undefined) return stream;
    throw new AwsError('ResourceNotFoundException', `Stream ${name} under account ${this.kernel.accountId} not found.`);
  }

  /** @throws AwsError ResourceNotFoundException */
  shard(stream: Stream, shardId: string | undefined): Shard {
    const shard = stream.shards.find(({ id }) => id === shardId);
    if (shard !== undefined) return shard;
    throw new AwsError(
      'ResourceNotFoundException',
      `Could not find shard ${shardId} in stream ${stream.name} under account ${this.kernel.accountId}.`,
    );
  }

  /** @throws AwsError ResourceInUseException */
  add(stream: Stream): void {
    if (this.#streams.has(stream.name)) {
      throw new AwsError(
        'ResourceInUseException',
        `Stream ${stream.name} under account ${this.kernel.accountId} already exists.`,
      );
    }
    this.#streams.set(stream.name, stream);
    const { meter } = this.kernel;
    const charge =
      stream.settings.mode === 'ON_DEMAND'
        ? meter.start('kinesisStream', stream.name)
        : meter.start('kinesisShard', stream.name, stream.shards.length);
    this.#charges.set(stream, charge);
  }

  *save(): Generator<KeptRecord> {
    for (const { name, createdAt, settings, tags, shards } of this.#streams.values()) {
      const kept: KeptStream = { name, createdAt, settings, tags, shards: shards.map((shard) => shard.kept) };
      yield [`stream/${name}`, kept];
      for (const { index: shardIndex, records } of shards) {
        for (const record of records) {
          const value: KeptStreamRecord = { streamName: name, shardIndex, record };
          yield [`record/${name}/${shardIndex}/${record.sequenceNumber}`, value, record];
        }
      }
    }
  }

  restore(records: KeptRecords): void {
    const place = (streamName: string, shardIndex: number) => `${streamName} ${shardIndex}`;
    // Sequence numbers of a shard all have the same length, so these come in their order.
    const byShard = Map.groupBy(records.all<KeptStreamRecord>('record/'), (each) =>
      place(each.streamName, each.shardIndex),
    );
    for (const { name, createdAt, settings, tags, shards } of records.all<KeptStream>('stream/')) {
      const stream = new Stream(name, this.arn(name), createdAt, shards.length, settings);
      for (const [key, value] of tags) stream.tags.set(key, value);
      for (const [index, kept] of shards.entries()) {
        const ofShard = (byShard.get(place(name, index)) ?? []).map(({ record }) => record);
        stream.shards[index]?.restore(kept, ofShard);
      }
      this.add(stream);
    }
  }

  delete(stream: Stream): void {
    this.#streams.delete(stream.name);
    this.#charges.get(stream)?.stop();
    this.#charges.delete(stream);
  }
}
