/** Pairing: what a device asks for and is answered, and the code that a person types. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

/** No `0`/`O`, `1`/`I`/`L`, `2`/`Z`, `5`/`S`, `8`/`B`, and no `U`: what is read from a screen is typed as it was meant. */
export const PAIRING_ALPHABET = '34679ACDEFGHJKMNPQRTVWXY';

/** A code is so many characters; shown in two groups of four, `ACDE-F346`. */
export const PAIRING_CODE_LENGTH = 8;

/** The first characters find the code; the rest is what must be known, and is stored as a hash only. */
export const PAIRING_SELECTOR_LENGTH = 3;

/** A code is taken once, and no longer than this after it was given out. */
export const PAIRING_CODE_SECONDS = 600;

/** Case and separators do not matter. */
export const PairingCode = v.pipe(
  v.string(),
  v.maxLength(32),
  v.transform((typed) => typed.toUpperCase().replaceAll(/[\s-]/g, '')),
  v.regex(
    new RegExp(`^[${PAIRING_ALPHABET}]{${PAIRING_CODE_LENGTH}}$`),
    `must be the ${PAIRING_CODE_LENGTH} characters that the device shows, of ${PAIRING_ALPHABET}`,
  ),
);

const RequestId = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** `device/{thing}/pairing/v1`: a device asks for a code. The one before is void from then on. */
export const PairingRequest = v.strictObject({
  /** Comes back in the answer. */
  id: v.optional(RequestId),
});
export type PairingRequest = v.InferOutput<typeof PairingRequest>;

/** What the rule hands to the function. */
export const PairingEvent = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name')),
  at: v.pipe(v.number(), v.safeInteger()),
  /** The message as it came, in base64, so that one that is no JSON is answered too. */
  payload: v.string(),
});
export type PairingEvent = v.InferOutput<typeof PairingEvent>;

/** `device/{thing}/pairing/v1/accepted` */
export const PairingAccepted = v.object({
  id: v.optional(RequestId),
  code: v.string(),
  /** Epoch milliseconds. */
  expiresAt: v.pipe(v.number(), v.safeInteger()),
});
export type PairingAccepted = v.InferOutput<typeof PairingAccepted>;

/** `device/{thing}/pairing/v1/rejected` */
export const PairingRejected = v.object({
  id: v.optional(RequestId),
  error: v.picklist(['invalid-request', 'already-owned', 'belongs-to-site', 'too-many-requests', 'no-such-thing']),
  reason: v.string(),
});
export type PairingRejected = v.InferOutput<typeof PairingRejected>;
