/** One way to validate at every boundary: a value or a reason, and never an exception for bad data. */
import * as v from 'valibot';

export type Validated<Output> =
  | { readonly ok: true; readonly value: Output }
  /** `reason` names each wrong member by its path: `readings.0.value: Invalid type: ...`. */
  | { readonly ok: false; readonly reason: string };

type Schema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

/** Checks a value of unknown origin. The reason quotes no more of a value than the schema library does. */
export function validate<S extends Schema>(schema: S, value: unknown): Validated<v.InferOutput<S>> {
  const result = v.safeParse(schema, value, { abortPipeEarly: true });
  if (result.success) return { ok: true, value: result.output };
  const reasons = result.issues.map((issue) => {
    const path = v.getDotPath(issue);
    return path === null ? issue.message : `${path}: ${issue.message}`;
  });
  return { ok: false, reason: reasons.join('; ') };
}

/** What is read back from a store of ours is not what was written there. */
export class InvalidRowError extends Error {
  override readonly name = 'InvalidRowError';
}

/** Checks a stored row. @throws InvalidRowError naming the row. */
export function parseRow<S extends Schema>(schema: S, row: unknown, name: string): v.InferOutput<S> {
  const result = validate(schema, row);
  if (!result.ok) throw new InvalidRowError(`${name} cannot be read: ${result.reason}`);
  return result.value;
}
