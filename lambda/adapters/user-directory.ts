import {
  AdminGetUserCommand,
  type CognitoIdentityProviderClient,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import type { Directory } from '../pairing/ports.ts';

/** The people in the user pool. Those who sign in by e-mail have their `sub` as user name. */
export class UserDirectory implements Directory {
  readonly #client: CognitoIdentityProviderClient;
  readonly #userPoolId: string;

  constructor(client: CognitoIdentityProviderClient, userPoolId: string) {
    this.#client = client;
    this.#userPoolId = userPoolId;
  }

  /** Somebody who is disabled cannot use what they get, and is no less the owner. */
  async exists(person: string): Promise<boolean> {
    try {
      await this.#client.send(new AdminGetUserCommand({ UserPoolId: this.#userPoolId, Username: person }));
      return true;
    } catch (error) {
      if (error instanceof UserNotFoundException) return false;
      throw error;
    }
  }
}
