import { isDeepStrictEqual } from 'node:util';

type Values = Readonly<Record<string, unknown>>;

/** So much of a reason is reported; the shadow is small. */
const MAX_REASON = 200;

/**
 * What is wanted of some members, what they are, and what the shadow says of them. INVARIANT of whoever works through
 * `toApply` and `toReport` until both are empty: the device is as is wanted, or it is reported why it is not.
 */
export class Members {
  readonly #names: readonly string[];
  readonly #wanted = new Map<string, unknown>();
  /** By this process: what was before the start may be gone with the power. */
  readonly #applied = new Map<string, unknown>();
  readonly #failed = new Map<string, { readonly value: unknown; readonly reason: string; readonly again: boolean }>();
  /** What the shadow's `reported` says, as far as it is known. */
  readonly #reported = new Map<string, unknown>();
  /** The version of the shadow at which that was so. */
  readonly #reportedVersions = new Map<string, number>();
  readonly #errors = new Map<string, string>();
  /** Their errors went out in a report that nobody has answered: it may still be taken. */
  readonly #unsure = new Set<string>();
  /** The version of the shadow at which what is known of an error was so. */
  readonly #errorVersions = new Map<string, number>();

  constructor(names: Iterable<string>) {
    this.#names = [...names];
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** The whole shadow, as it was at this version. */
  document(desired: Values, reported: Values, version: number): void {
    const errors = isValues(reported.errors) ? reported.errors : {};
    for (const name of this.#names) {
      this.#errorVersions.set(name, version);
      this.#reportedVersions.set(name, version);
      copy(this.#wanted, name, desired);
      copy(this.#reported, name, reported);
      if (errors[name] === undefined) this.#errors.delete(name);
      else this.#errors.set(name, String(errors[name]));
    }
  }

  /** These are wanted, and not reported, at this version. */
  delta(desired: Values, version: number): void {
    for (const name of this.#names.filter((each) => Object.hasOwn(desired, each))) {
      this.#wanted.set(name, desired[name]);
      // It says something else, or nothing. After a report of ours at this very version it is known what.
      if (version > this.#reportedAt(name)) {
        this.#reported.set(name, undefined);
        this.#reportedVersions.set(name, version);
      }
    }
  }

  /** What failed may be tried again. */
  retry(): void {
    for (const [name, failure] of this.#failed) this.#failed.set(name, { ...failure, again: true });
  }

  /** The next member that is not as it should be. */
  toApply(): { readonly name: string; readonly value: unknown } | undefined {
    const name = this.#names.find((each) => {
      if (!this.#wanted.has(each) || this.#isApplied(each)) return false;
      return this.#failureOf(each)?.again ?? true;
    });
    return name === undefined ? undefined : { name, value: this.#wanted.get(name) };
  }

  applied(name: string, value: unknown): void {
    this.#applied.set(name, value);
    this.#failed.delete(name);
  }

  failed(name: string, value: unknown, reason: string): void {
    // What it is now nobody knows.
    this.#applied.delete(name);
    this.#failed.set(name, { value, reason: reason.slice(-MAX_REASON), again: false });
  }

  /** What `reported` should say and does not; undefined for nothing. */
  toReport(): Values | undefined {
    const report: Record<string, unknown> = {};
    const errors: Record<string, string | null> = {};
    for (const name of this.#names) {
      const wanted = this.#wanted.get(name);
      if (this.#wanted.has(name) && this.#isApplied(name) && !isDeepStrictEqual(this.#reported.get(name), wanted)) {
        report[name] = wanted;
      }
      const reason = this.#failureOf(name)?.reason;
      // Nobody knows what it is; and were the old value left, the shadow would be silent when that is wanted again.
      if (reason !== undefined && this.#reported.has(name)) report[name] = null;
      if (this.#errors.get(name) !== reason || this.#unsure.has(name)) errors[name] = reason ?? null;
    }
    if (Object.keys(errors).length > 0) report.errors = errors;
    return Object.keys(report).length > 0 ? report : undefined;
  }

  /** A report goes out. Of values that it changes in the end there is a delta; of errors there is none. */
  reporting({ errors }: Values): void {
    for (const name of Object.keys(isValues(errors) ? errors : {})) this.#unsure.add(name);
  }

  /** The shadow has taken a report at this version; what is known of a later one may say that another has taken its place. */
  reported({ errors, ...values }: Values, version: number): void {
    for (const [name, value] of Object.entries(values)) {
      if (version < this.#reportedAt(name)) continue;
      this.#reportedVersions.set(name, version);
      if (value === null) this.#reported.delete(name);
      else this.#reported.set(name, value);
    }
    for (const name of Object.keys(isValues(errors) ? errors : {})) this.#unsure.delete(name);
  }

  /** The shadow says that it has taken these errors at this version; a report that was given up may be taken after later ones. */
  taken(errors: unknown, version: number): void {
    for (const [name, reason] of Object.entries(isValues(errors) ? errors : {})) {
      if (version <= (this.#errorVersions.get(name) ?? -1)) continue;
      this.#errorVersions.set(name, version);
      if (reason === null) this.#errors.delete(name);
      else this.#errors.set(name, String(reason));
    }
  }

  #reportedAt(name: string): number {
    return this.#reportedVersions.get(name) ?? -1;
  }

  #isApplied(name: string): boolean {
    return this.#applied.has(name) && isDeepStrictEqual(this.#applied.get(name), this.#wanted.get(name));
  }

  #failureOf(name: string) {
    const failure = this.#failed.get(name);
    return failure && this.#wanted.has(name) && isDeepStrictEqual(failure.value, this.#wanted.get(name))
      ? failure
      : undefined;
  }
}

/** An object that is no array. */
export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function copy(to: Map<string, unknown>, name: string, from: Values): void {
  if (Object.hasOwn(from, name)) to.set(name, from[name]);
  else to.delete(name);
}
