import type { GrantEnding, GrantTarget } from '@thingstead/contracts/grants';

export interface Ports {
  /** The access table. */
  readonly grants: {
    /** When the grant ends, epoch milliseconds; undefined when there is none, or it does not end by itself. */
    endOf(person: string, target: GrantTarget): Promise<number | undefined>;
    /** Removes a grant that has ended by now, epoch milliseconds; false when there is none, or it has another end since. */
    end(person: string, target: GrantTarget, now: number): Promise<boolean>;
  };
  /** Brings the message back when it is time, or in 15 minutes. */
  readonly endings: { schedule(ending: GrantEnding): Promise<void> };
  ended(ending: GrantEnding): void;
  failed(error: unknown): void;
  /** Epoch milliseconds. */
  now(): number;
}
