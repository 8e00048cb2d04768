import { AwsError } from '../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';

const DAY_MS = 86_400_000;
/** Events are kept on disk in lots, so that a new one does not write all others again. */
const LOT = 500;
/** What one stream keeps at most: a laptop has no end of memory. When it is full the oldest tenth goes. */
const KEPT_EVENTS = 50_000;

export interface LogEvent {
  readonly id: string;
  readonly timestamp: number;
  readonly ingestedAt: number;
  readonly message: string;
}

export class LogStream {
  readonly name: string;
  readonly createdAt: number;
  events: LogEvent[] = [];
  /** How many events there have been before the first one that is kept. */
  #first = 0;

  constructor(name: string, createdAt: number) {
    this.name = name;
    this.createdAt = createdAt;
  }

  append(events: readonly LogEvent[]): void {
    this.events.push(...events);
    if (this.events.length > KEPT_EVENTS) this.#first += this.events.splice(0, KEPT_EVENTS / 10).length;
  }

  dropBefore(oldest: number): void {
    const kept = this.events.filter(({ timestamp }) => timestamp >= oldest);
    this.#first += this.events.length - kept.length;
    this.events = kept;
  }

  /** The events in lots that stay the same once they are full, each with its number. */
  *lots(): Generator<readonly [number: number, events: readonly LogEvent[]]> {
    for (let at = 0; at < this.events.length; ) {
      const number = Math.floor((this.#first + at) / LOT);
      const end = (number + 1) * LOT - this.#first;
      yield [number, this.events.slice(at, end)];
      at = end;
    }
  }

  /** Takes over the lots of a kept stream, in their order. */
  restore(lots: readonly KeptLot[]): void {
    const [oldest] = lots;
    if (oldest) this.#first = (oldest.number + 1) * LOT - oldest.events.length;
    this.events = lots.flatMap(({ events }) => events);
    // A single lot may not be full yet.
    if (lots.length === 1 && oldest) this.#first = oldest.number * LOT;
  }
}

export class LogGroup {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly streams = new Map<string, LogStream>();
  retentionInDays: number | undefined;

  constructor(name: string, arn: string, createdAt: number) {
    this.name = name;
    this.arn = arn;
    this.createdAt = createdAt;
  }

  /** Drops what is older than the retention, which is counted from the event's time. */
  expire(now: number): void {
    if (this.retentionInDays === undefined) return;
    const oldest = now - this.retentionInDays * DAY_MS;
    for (const stream of this.streams.values()) {
      if ((stream.events[0]?.timestamp ?? now) >= oldest) continue;
      stream.dropBefore(oldest);
    }
  }
}

interface KeptGroup {
  readonly name: string;
  readonly createdAt: number;
  readonly retentionInDays: number | undefined;
}

interface KeptStream {
  readonly groupName: string;
  readonly name: string;
  readonly createdAt: number;
}

interface KeptLot {
  readonly groupName: string;
  readonly streamName: string;
  readonly number: number;
  readonly events: readonly LogEvent[];
}

/** The log groups of the account. */
export class LogGroups {
  readonly kernel: Kernel;
  /** How many events there have been; their ids are made from it. */
  eventCount = 0;
  readonly #groups = new Map<string, LogGroup>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly LogGroup[] {
    return [...this.#groups.values()];
  }

  create(name: string): LogGroup {
    if (this.#groups.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    const group = new LogGroup(name, this.kernel.arn('logs', `log-group:${name}`), this.kernel.clock.now());
    this.#groups.set(name, group);
    return group;
  }

  delete(name: string): void {
    this.#groups.delete(name);
  }

  *save(): Generator<KeptRecord> {
    yield ['eventCount', this.eventCount];
    for (const { name: groupName, createdAt, retentionInDays, streams } of this.#groups.values()) {
      yield [`group/${groupName}`, { name: groupName, createdAt, retentionInDays } satisfies KeptGroup];
      for (const stream of streams.values()) {
        const { name, createdAt: since } = stream;
        yield [`stream/${groupName}/${name}`, { groupName, name, createdAt: since } satisfies KeptStream];
        for (const [number, events] of stream.lots()) {
          const lot: KeptLot = { groupName, streamName: name, number, events };
          // Events are only added at the end and dropped at the beginning.
          yield [`lot/${groupName}/${name}/${number}`, lot, `${events[0]?.id} ${events.length}`];
        }
      }
    }
  }

  restore(records: KeptRecords): void {
    for (const { name, createdAt, retentionInDays } of records.all<KeptGroup>('group/')) {
      const group = new LogGroup(name, this.kernel.arn('logs', `log-group:${name}`), createdAt);
      group.retentionInDays = retentionInDays;
      this.#groups.set(name, group);
    }
    this.eventCount = records.get<number>('eventCount') ?? 0;
    const lots = Map.groupBy(records.all<KeptLot>('lot/'), (lot) => `${lot.groupName} ${lot.streamName}`);
    for (const { groupName, name, createdAt } of records.all<KeptStream>('stream/')) {
      const stream = new LogStream(name, createdAt);
      stream.restore((lots.get(`${groupName} ${name}`) ?? []).sort((a, b) => a.number - b.number));
      this.#groups.get(groupName)?.streams.set(name, stream);
    }
  }

  /** A group by its name or by its ARN. Throws ResourceNotFoundException. */
  get(nameOrArn: string | undefined): LogGroup {
    const group = this.#groups.get(groupName(nameOrArn));
    if (!group) throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
    group.expire(this.kernel.clock.now());
    return group;
  }

  getStream(groupNameOrArn: string | undefined, streamName: string | undefined): LogStream {
    const stream = this.get(groupNameOrArn).streams.get(streamName ?? '');
    if (!stream) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    return stream;
  }

  /** Policies name a group `log-group:<name>:*`; what they match is the group with a stream, or with none. */
  permission(action: string, group: string | undefined, stream = ''): Permission {
    const resource = `log-group:${groupName(group)}:log-stream:${stream}`;
    return { action: `logs:${action}`, resource: this.kernel.arn('logs', resource) };
  }
}

function groupName(nameOrArn: string | undefined): string {
  const text = nameOrArn ?? '';
  if (!text.startsWith('arn:')) return text;
  return text.split(':').slice(6).join(':').replace(/:\*$/, '');
}
