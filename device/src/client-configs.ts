import type { CrtError, mqtt5 } from 'aws-iot-device-sdk-v2';
import { messageOf } from './configuration-error.ts';
import { isPinRefused } from './refused-pin.ts';

/**
 * What the clients of one identity are made with: one for all connections, since it holds the login into a token. After an error of the token it is made
 * anew: its handles are of no use any more when the token was unplugged, or the service that speaks with it has started again.
 */
export class ClientConfigs {
  readonly #make: () => mqtt5.Mqtt5ClientConfig;
  #made: mqtt5.Mqtt5ClientConfig | undefined;
  #refusedPin: unknown;

  /** @throws what `make` throws. */
  constructor(make: () => mqtt5.Mqtt5ClientConfig) {
    this.#make = make;
    this.#made = make();
  }

  /** @throws ConfigurationError while the token does not let the agent in. After a PIN that was refused it does not ask the token again. */
  get(): mqtt5.Mqtt5ClientConfig {
    if (this.#refusedPin !== undefined) throw this.#refusedPin;
    try {
      this.#made ??= this.#make();
      return this.#made;
    } catch (error) {
      if (error instanceof Error && isPinRefused(messageOf(error.cause))) this.#refusedPin = error;
      throw error;
    }
  }

  /** A connection was not made for this reason. */
  failed({ error_name = '' }: Pick<CrtError, 'error_name'>): void {
    if (error_name.includes('PKCS11')) this.#made = undefined;
  }
}
