/** A document whose signatures are verified before it is read. */
import { type FirmwareManifest, SignedDocument, type UpdateFailure } from '@thingstead/contracts/firmware';
import { validate } from '@thingstead/contracts/validate';
import type * as v from 'valibot';
import { type TrustedKey, verifySignatures } from './signed-document.ts';
import { readStrictJson } from './strict-json.ts';

export interface Refused {
  readonly ok: false;
  readonly failure: UpdateFailure;
  readonly reason: string;
}

export interface ReadDocument<T> {
  readonly ok: true;
  readonly value: T;
  /** As they were signed. */
  readonly bytes: Buffer;
}

export function refuse(failure: UpdateFailure, reason: string): Refused {
  return { ok: false, failure, reason };
}

/** Who has to have signed it: `threshold` different ones of `keys`. */
export interface Signers {
  readonly keys: readonly TrustedKey[];
  readonly threshold: number;
}

type Schema<T> = v.BaseSchema<unknown, T, v.BaseIssue<unknown>>;

/**
 * Verifies the signatures, then reads. Never throws, whatever the document is.
 * @returns `malformed` for what is no signed document, or is signed and yet not what the schema says.
 */
export function readSigned<T extends { readonly type: FirmwareManifest['type'] | 'trust' | 'assignment' }>(
  type: T['type'],
  signed: unknown,
  { keys, threshold }: Signers,
  schema: Schema<T>,
): ReadDocument<T> | Refused {
  const form = formOf(signed);
  if (!form.ok) return refuse('malformed', `the ${type}: ${form.reason}`);
  const verified = verifySignatures(type, form.value, keys, threshold);
  if (!verified.ok) return refuse(verified.failure, `the ${type} is ${verified.reason}`);
  return readDocument(type, verified.bytes, schema);
}

/** Reads bytes that are verified, or that say themselves by which keys they are to be verified. */
export function readDocument<T>(type: string, bytes: Buffer, schema: Schema<T>): ReadDocument<T> | Refused {
  try {
    const read = validate(schema, readStrictJson(bytes));
    return read.ok ? { ok: true, value: read.value, bytes } : refuse('malformed', `the ${type}: ${read.reason}`);
  } catch (error) {
    return refuse('malformed', `the ${type} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** Size and form, before anything is computed from it. */
export function formOf(signed: unknown): ReturnType<typeof validate<typeof SignedDocument>> {
  const form = validate(SignedDocument, signed);
  if (!form.ok) return form;
  const { document } = form.value;
  // Other text may stand for the same bytes; there is one right way to write them.
  if (Buffer.from(document, 'base64').toString('base64') !== document)
    return { ok: false, reason: 'document: is no base64' };
  return form;
}
