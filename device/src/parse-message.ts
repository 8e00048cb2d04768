import { type Validated, validate } from '@thingstead/contracts/validate';
import type * as v from 'valibot';

/** The JSON of a message from the cloud, checked; or what is wrong with it. */
export function parseMessage<S extends v.GenericSchema>(schema: S, payload: Buffer): Validated<v.InferOutput<S>> {
  let message: unknown;
  try {
    message = JSON.parse(payload.toString('utf8'));
  } catch {
    return { ok: false, reason: 'is no JSON' };
  }
  return validate(schema, message);
}
