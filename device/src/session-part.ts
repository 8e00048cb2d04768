import type { Session } from './session.ts';

/** A part of the agent that speaks with the cloud on every connection, beside the readings and without holding them up. */
export interface SessionPart {
  /** Where it hears the cloud: topic filters that are subscribed with those of all other parts. */
  readonly filters: readonly string[];
  /**
   * Uses a session; never throws.
   *
   * @param subscribed resolves when the filters are subscribed; false when they cannot be.
   * @param over aborted when the session is over.
   */
  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void;
  /** The agent ends: resolves when what it still has to say is said, or cannot be. Called more than once; never rejects. */
  end?(): Promise<void>;
}
