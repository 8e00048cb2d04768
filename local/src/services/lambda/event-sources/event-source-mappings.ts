import type { GetQueueAttributesResult } from '@aws-sdk/client-sqs';
import { parseArn } from '../../../kernel/arn.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { requireDestination } from '../destinations.ts';
import { invalidValue, resourceNotFound } from '../errors.ts';
import type { Invoker } from '../invoker.ts';
import type { LambdaFunction } from '../lambda-function.ts';
import { EventSourceMapping, type MappingSettings, type Poller } from './event-source-mapping.ts';
import { readFilterCriteria } from './record-filter.ts';
import { SqsPoller } from './sqs-poller.ts';
import { StreamPoller, type StreamPosition } from './stream-poller.ts';

/** What Lambda asks the role for when a mapping is made. */
const NEEDED = {
  dynamodb: ['DescribeStream', 'GetRecords', 'GetShardIterator'],
  kinesis: ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'],
  sqs: ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'],
};

interface KeptMapping extends Pick<EventSourceMapping, 'uuid' | 'enabled' | 'lastModified' | 'lastProcessingResult'> {
  readonly settings: Omit<MappingSettings, 'fn' | 'filter'>;
  readonly functionName: string;
  readonly patterns: readonly string[];
  readonly position: StreamPosition | undefined;
}

/** The event source mappings of the account. */
export class EventSourceMappings {
  readonly #kernel: Kernel;
  readonly #invoker: Invoker;
  readonly #mappings = new Map<string, EventSourceMapping>();
  /** What an earlier runtime was reading, until it is read again. */
  readonly #resting = new Set<EventSourceMapping>();

  constructor(kernel: Kernel, invoker: Invoker) {
    this.#kernel = kernel;
    this.#invoker = invoker;
  }

  get all(): readonly EventSourceMapping[] {
    return [...this.#mappings.values()];
  }

  /** @throws AwsError ResourceNotFoundException */
  get(uuid: string | undefined): EventSourceMapping {
    const mapping = this.#mappings.get(uuid ?? '');
    if (!mapping) throw resourceNotFound('The resource you requested does not exist.');
    return mapping;
  }

  /**
   * Creates a mapping and starts it.
   *
   * @throws AwsError InvalidParameterValueException when the function's role may not read the source, or not send to the
   *   failure destination, as AWS answers
   */
  async create(settings: MappingSettings, enabled: boolean): Promise<EventSourceMapping> {
    this.#checkPermissions(settings);
    if (settings.source === 'sqs') await this.#checkVisibilityTimeout(settings);
    const mapping = new EventSourceMapping(this.#kernel, settings);
    mapping.poller = this.#pollerOf(mapping);
    if (enabled) await this.enable(mapping);
    this.#mappings.set(mapping.uuid, mapping);
    return mapping;
  }

  *save(): Generator<KeptRecord> {
    for (const { uuid, enabled, lastModified, lastProcessingResult, settings, poller } of this.all) {
      const { fn, filter, ...rest } = settings;
      const kept: KeptMapping = {
        ...{ uuid, enabled, lastModified, lastProcessingResult, settings: rest },
        functionName: fn.configuration.name,
        patterns: filter?.patterns ?? [],
        position: poller?.position,
      };
      yield [`mapping/${uuid}`, kept];
    }
  }

  restore(records: KeptRecords, find: (name: string) => LambdaFunction): void {
    for (const kept of records.all<KeptMapping>('mapping/')) {
      const filter = readFilterCriteria({ Filters: kept.patterns.map((Pattern) => ({ Pattern })) });
      const settings = { ...kept.settings, filter, fn: find(kept.functionName) };
      const mapping = new EventSourceMapping(this.#kernel, settings, kept.uuid);
      const { enabled, lastModified, lastProcessingResult } = kept;
      Object.assign(mapping, { enabled, lastModified, lastProcessingResult });
      mapping.poller = this.#pollerOf(mapping, kept.position);
      this.#mappings.set(mapping.uuid, mapping);
      if (enabled) this.#resting.add(mapping);
    }
  }

  async resume(): Promise<void> {
    for (const mapping of this.#resting) {
      this.#resting.delete(mapping);
      try {
        await mapping.poller?.start();
      } catch (error) {
        mapping.failed(error);
      }
    }
  }

  async enable(mapping: EventSourceMapping): Promise<void> {
    if (mapping.enabled) return;
    await mapping.poller?.start();
    mapping.enabled = true;
    mapping.lastModified = this.#kernel.clock.now();
  }

  disable(mapping: EventSourceMapping): void {
    if (!mapping.enabled) return;
    this.#resting.delete(mapping);
    mapping.poller?.stop();
    mapping.enabled = false;
    mapping.lastModified = this.#kernel.clock.now();
  }

  delete(mapping: EventSourceMapping): void {
    this.disable(mapping);
    this.#mappings.delete(mapping.uuid);
  }

  /** Stops the mappings of a function that is deleted, or all. */
  stop(fn?: LambdaFunction): void {
    for (const mapping of this.all) if (!fn || mapping.settings.fn === fn) this.disable(mapping);
  }

  #pollerOf(mapping: EventSourceMapping, from?: StreamPosition): Poller {
    const { stream } = mapping.settings;
    return stream
      ? new StreamPoller(this.#kernel, this.#invoker, mapping, stream, from)
      : new SqsPoller(this.#kernel, this.#invoker, mapping);
  }

  #checkPermissions({ fn, source, eventSourceArn, stream }: MappingSettings): void {
    const role = fn.assumeRole();
    const context = { caller: role, requestId: '' };
    for (const name of NEEDED[source]) {
      try {
        this.#kernel.iam.authorize(context, { action: `${source}:${name}`, resource: eventSourceArn });
      } catch (cause) {
        if (!(cause instanceof AwsError)) throw cause;
        throw invalidValue(
          `The function execution role does not have permissions to call ${name} on ${source.toUpperCase()}: ${cause.message}`,
        );
      }
    }
    requireDestination(this.#kernel, role, stream?.onFailure);
  }

  async #checkVisibilityTimeout({ fn, eventSourceArn }: MappingSettings): Promise<void> {
    const arn = parseArn(eventSourceArn);
    const { Attributes } = await this.#kernel.call<GetQueueAttributesResult>(
      'sqs',
      'GetQueueAttributes',
      {
        QueueUrl: `${this.#kernel.endpoint}/${arn?.accountId}/${arn?.resource}`,
        AttributeNames: ['VisibilityTimeout'],
      },
      fn.assumeRole(),
    );
    const visibility = Number(Attributes?.VisibilityTimeout);
    const timeout = fn.configuration.timeoutSeconds;
    if (visibility < timeout) {
      throw invalidValue(
        `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
      );
    }
  }
}
