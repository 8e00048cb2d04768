import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalidParameter, notAuthorized } from './errors.ts';
import type { UserPoolClient } from './user-pool.ts';

/**
 * A confidential client proves its secret with each request: HMAC-SHA256 over user name and client id
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash).
 *
 * @throws AwsError NotAuthorizedException
 */
export function requireSecretHash({ id, secret }: UserPoolClient, username: string, given: string | undefined): void {
  if (secret === undefined) {
    if (given === undefined) return;
    throw notAuthorized(`Client ${id} is not configured for secret but secret hash was received`);
  }
  if (given === undefined) {
    throw notAuthorized(`Client ${id} is configured with secret but SECRET_HASH was not received`);
  }
  const expected = createHmac('sha256', secret).update(`${username}${id}`).digest('base64');
  if (!sameText(given, expected)) throw notAuthorized(`Unable to verify secret hash for client ${id}`);
}

/** @throws AwsError InvalidParameterException when the client does not allow the flow */
export function requireFlow(client: UserPoolClient, flow: string): void {
  if (!allowsFlow(client, flow)) throw invalidParameter(`${flow} flow not enabled for this client`);
}

/** Whether the client may use a flow; one without a list allows SRP and refreshing (API_CreateUserPoolClient). */
export function allowsFlow({ settings: { explicitAuthFlows: given } }: UserPoolClient, flow: string): boolean {
  return (given.length > 0 ? given : ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH']).includes(`ALLOW_${flow}`);
}

/** Compares in a time that does not tell how much is right. */
export function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
