/** What functions share that a rule hands the messages of devices to, as they came. */
import { validate } from '@thingstead/contracts/validate';
import type * as v from 'valibot';

/** The function was called with something that the rule does not send, or for a topic that names no thing. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
}

/** Gets every error before Lambda sees it and tries again. */
export type Failed = (error: unknown, thing: string | undefined) => void;

/** The handler of a rule on messages of devices. What it throws, Lambda repeats twice and then puts aside. */
export function deviceMessageHandler<Event extends { readonly thing: string }>(
  schema: v.GenericSchema<unknown, Event>,
  take: (event: Event) => Promise<void>,
  failed: Failed,
): (event: unknown) => Promise<void> {
  return async (event) => {
    const valid = validate(schema, event);
    try {
      if (!valid.ok) throw new InvalidEventError(`this is no event of the rule: ${valid.reason}`);
      await take(valid.value);
    } catch (error) {
      failed(error, valid.ok ? valid.value.thing : undefined);
      throw error;
    }
  };
}

/** The message of a device, which the rule hands over in base64; undefined when it is no JSON in UTF-8. */
export function readMessage(payload: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(payload, 'base64')));
  } catch {
    return undefined;
  }
}
