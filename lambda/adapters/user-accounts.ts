import {
  AdminDeleteUserCommand,
  AdminGetUserCommand,
  type CognitoIdentityProviderClient,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import type { Accounts } from '../access/ports.ts';

/** People in the user pool, by their `sub`, which is their user name. */
export class UserAccounts implements Accounts {
  readonly #client: CognitoIdentityProviderClient;
  readonly #UserPoolId: string;

  constructor(client: CognitoIdentityProviderClient, userPoolId: string) {
    this.#client = client;
    this.#UserPoolId = userPoolId;
  }

  async describe(person: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const user = await unlessGone(
      this.#client.send(new AdminGetUserCommand({ UserPoolId: this.#UserPoolId, Username: person })),
    );
    return (
      user && {
        attributes: Object.fromEntries((user.UserAttributes ?? []).map(({ Name = '', Value }) => [Name, Value])),
        createdAt: user.UserCreateDate?.getTime(),
        changedAt: user.UserLastModifiedDate?.getTime(),
        status: user.UserStatus,
        secondFactors: user.UserMFASettingList ?? [],
      }
    );
  }

  async remove(person: string): Promise<void> {
    await unlessGone(this.#client.send(new AdminDeleteUserCommand({ UserPoolId: this.#UserPoolId, Username: person })));
  }
}

async function unlessGone<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UserNotFoundException) return undefined;
    throw error;
  }
}
