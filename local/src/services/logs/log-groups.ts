import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';

const DAY_MS = 86_400_000;
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

  constructor(name: string, createdAt: number) {
    this.name = name;
    this.createdAt = createdAt;
  }

  append(events: readonly LogEvent[]): void {
    this.events.push(...events);
    if (this.events.length > KEPT_EVENTS) this.events.splice(0, KEPT_EVENTS / 10);
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
      stream.events = stream.events.filter(({ timestamp }) => timestamp >= oldest);
    }
  }
}

/** The log groups of the account. */
export class LogGroups {
  readonly kernel: Kernel;
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
