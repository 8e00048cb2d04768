import { CertificateRegisteredEvent } from '@thingstead/contracts/registration';
import { validate } from '@thingstead/contracts/validate';
import { register } from './domain.ts';
import type { Ports } from './ports.ts';

/** The function was called with something that AWS IoT does not send. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
}

export interface HandlerOptions extends Ports {
  /** Gets every error before Lambda sees it and tries again. */
  readonly failed: (error: unknown, event: unknown) => void;
}

/** The handler of the rule on certificate events. What it throws, Lambda repeats twice and then puts aside. */
export function createHandler({ failed, ...ports }: HandlerOptions): (event: unknown) => Promise<void> {
  return async (event) => {
    try {
      const valid = validate(CertificateRegisteredEvent, event);
      if (!valid.ok) throw new InvalidEventError(`this is no certificate event: ${valid.reason}`);
      await register(valid.value.certificateId, ports);
    } catch (error) {
      failed(error, event);
      throw error;
    }
  };
}
