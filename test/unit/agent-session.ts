/** A session of the agent without a network: what is sent waits until the test answers it. */
import type { PublishOutcome, Session, SessionEnd, SubscribeOutcome } from '../../device/src/session.ts';

export interface Sent {
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export class FakeSession implements Session {
  readonly id: string;
  readonly sent: Sent[] = [];
  readonly subscribed: string[] = [];
  readonly closed: Promise<SessionEnd>;
  readonly #listeners: ((topic: string, payload: Buffer) => void)[] = [];
  #close = (_end: SessionEnd): void => {};
  isOpen = true;
  /** What the broker answers. */
  onPublish: (sent: Sent) => PublishOutcome | Promise<PublishOutcome> = () => ({ kind: 'acknowledged' });
  onSubscribe: () => SubscribeOutcome = () => ({ kind: 'granted' });

  constructor(id: string) {
    this.id = id;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  publish(topic: string, payload: Buffer): Promise<PublishOutcome> {
    if (!this.isOpen) return Promise.resolve({ kind: 'unanswered', reason: 'closed' });
    const sent = { topic, body: JSON.parse(payload.toString()) };
    this.sent.push(sent);
    return Promise.resolve(this.onPublish(sent));
  }

  subscribe(filters: readonly string[]): Promise<SubscribeOutcome> {
    const outcome = this.onSubscribe();
    if (outcome.kind === 'granted') this.subscribed.push(...filters);
    return Promise.resolve(outcome);
  }

  onMessage(listener: (topic: string, payload: Buffer) => void): void {
    this.#listeners.push(listener);
  }

  /** A message from the cloud; nobody hears it who has not subscribed. */
  deliver(topic: string, body: unknown): void {
    if (!this.isOpen || !this.subscribed.some((filter) => fits(filter, topic))) return;
    const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    for (const listener of this.#listeners) listener(topic, payload);
  }

  disconnect(): Promise<void> {
    this.lose({ reason: 'the agent has ended the connection' });
    return Promise.resolve();
  }

  lose(end: SessionEnd = { reason: 'lost' }): void {
    this.isOpen = false;
    this.#close(end);
  }
}

/** A filter with `+` for a level, or none. */
function fits(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')];
  return wanted.length === levels.length && wanted.every((level, index) => level === '+' || level === levels[index]);
}

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly event: string;
}

/** A log that keeps its lines. */
export function keptLog() {
  const lines: LogLine[] = [];
  const write =
    (level: string) =>
    (event: string, fields: object = {}): void => {
      lines.push({ level, event, ...fields });
    };
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
