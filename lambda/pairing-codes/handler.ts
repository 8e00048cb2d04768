import { PairingEvent } from '@thingstead/contracts/pairing';
import { validate } from '@thingstead/contracts/validate';
import { giveCode } from './domain.ts';
import type { Ports } from './ports.ts';

/** The function was called with something that the rule does not send, or for a topic that names no thing. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
}

export interface HandlerOptions extends Ports {
  /** Gets every error before Lambda sees it and tries again. */
  readonly failed: (error: unknown, thing: string | undefined) => void;
}

/** The handler of the rule on requests for codes. What it throws, Lambda repeats twice and then puts aside. */
export function createHandler({ failed, ...ports }: HandlerOptions): (event: unknown) => Promise<void> {
  return async (event) => {
    const valid = validate(PairingEvent, event);
    try {
      if (!valid.ok) throw new InvalidEventError(`this is no event of the rule: ${valid.reason}`);
      await giveCode(valid.value, ports);
    } catch (error) {
      failed(error, valid.ok ? valid.value.thing : undefined);
      throw error;
    }
  };
}
