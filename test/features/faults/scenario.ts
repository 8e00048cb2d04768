import type { Platform } from '../../support/platform.ts';

/** What a function has to bring to the same end, wherever it is cut off. */
export interface Scenario {
  readonly title: string;
  readonly functionName: string;
  /** How long the platform's own retries may take. */
  readonly settleSeconds: number;
  /** What an undisturbed run comes to, at least. */
  readonly expected: Readonly<Record<string, unknown>>;
  /** Makes fresh data that no other run uses; nothing of it calls the function after this resolves. */
  begin(platform: Platform, run: number): Promise<Run>;
}

interface Run {
  /** Causes the event that the function works on; resolves when it has, if nothing disturbs it. */
  act(): Promise<void>;
  /** What has become of it in the stores and queues, without what differs from run to run: `anonymous`. */
  outcome(): Promise<unknown>;
}

/** The value with the names of a run replaced, and without the members that are never the same. */
export function anonymous(
  value: unknown,
  names: Readonly<Record<string, string>>,
  leaveOut: readonly string[] = [],
): unknown {
  const text = JSON.stringify(value, (key, member: unknown) => (leaveOut.includes(key) ? undefined : member));
  return JSON.parse(Object.entries(names).reduce((all, [name, label]) => all.replaceAll(name, `<${label}>`), text));
}
