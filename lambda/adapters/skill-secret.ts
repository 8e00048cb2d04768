import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The secret is there and has no text. */
export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';
}

/** Reads a secret's text from Secrets Manager. @throws SecretUnreadableError for one that is bytes */
export function secretReader(client: SecretsManagerClient): (secretId: string) => Promise<string> {
  return async (SecretId) => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
    if (!SecretString) throw new SecretUnreadableError('the secret has no text');
    return SecretString;
  };
}
