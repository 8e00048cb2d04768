import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type Refusal, refusal } from '../http/request.ts';

const Sealed = v.object({ of: v.string(), at: v.unknown() });

/**
 * A position as text for the caller. `scope` is all that the answer depends on besides the position: who asked for what. It is no
 * secret and not signed: whoever makes one up gets another page of what they may see anyway.
 */
export function sealCursor(position: unknown, scope: readonly unknown[]): string {
  return Buffer.from(JSON.stringify({ of: markOf(scope), at: position })).toString('base64url');
}

/** The position in a cursor, checked; a refusal when it is none, or one of another list. */
export function openCursor<Schema extends v.GenericSchema>(
  cursor: string,
  position: Schema,
  scope: readonly unknown[],
): { readonly ok: true; readonly position: v.InferOutput<Schema> } | Refusal {
  const sealed = v.safeParse(Sealed, parse(cursor));
  const valid = sealed.success ? v.safeParse(position, sealed.output.at) : undefined;
  if (sealed.success && valid?.success && sealed.output.of === markOf(scope)) {
    return { ok: true, position: valid.output };
  }
  return refusal(
    400,
    'query.cursor is not of this list: a cursor goes with the person and the filters it was given for',
  );
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function markOf(scope: readonly unknown[]): string {
  // A member that is undefined becomes null, so that places do not move.
  return createHash('sha256').update(JSON.stringify(scope)).digest('base64url').slice(0, 16);
}
