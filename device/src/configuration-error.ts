/** The configuration or one of its files must be changed by a person; starting again does not help. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(summary: string, problems: readonly string[], options?: ErrorOptions) {
    super([`${summary}:`, ...problems.map((each) => `  ${each}`)].join('\n'), options);
    this.problems = problems;
  }
}

/** The words of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
