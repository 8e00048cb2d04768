/** What scripts may rely on; the list is in cli/README.md as well. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  auth: 3,
  notFound: 4,
  conflict: 5,
  offline: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Explanation {
  /** What may have led to it, most likely first. */
  readonly causes?: readonly string[];
  /** The command to run next. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** A failure in words for a person: one sentence, its causes, and what to run next. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  readonly causes: readonly string[];
  readonly next: string | undefined;

  constructor(exit: keyof typeof EXIT, message: string, { causes = [], next, cause }: Explanation = {}) {
    super(message, { cause });
    this.exitCode = EXIT[exit];
    this.causes = causes;
    this.next = next;
  }
}
