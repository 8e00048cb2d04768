import * as v from 'valibot';
import { Program } from '../handlers/handler-config.ts';

/** What stands for the code in `url`. */
export const CODE_PLACE = '{code}';

/** The part of the configuration about pairing codes. */
export const PairingSchema = v.strictObject({
  /** What the QR code holds, `https://app.example.com/pair?code={code}`; without it the code alone. */
  url: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(512),
      v.check((url) => url.includes(CODE_PLACE), `must hold ${CODE_PLACE}, where the code goes`),
    ),
  ),
  /** Shows a code that was asked for with a button: program and arguments; code and expiry are in its environment. */
  show: v.optional(Program),
});
export type PairingConfig = v.InferOutput<typeof PairingSchema>;
