import type { WireRequest } from '../../../kernel/wire.ts';
import { sameText } from '../client-access.ts';
import type { UserPool, UserPoolClient } from '../user-pool.ts';
import { invalidRequest, OAuthError } from './oauth-error.ts';

/**
 * The client that sends a request to `/oauth2/token` or `/oauth2/revoke`: with its secret, by HTTP Basic
 * (`client_secret_basic`) or in the body (`client_secret_post`); a public one with its id alone.
 *
 * @throws OAuthError invalid_client, invalid_request when nothing says who it is or both ways are used
 */
export function authenticateClient(
  pool: UserPool,
  { headers }: WireRequest,
  form: Readonly<Record<string, string>>,
  status = 400,
): UserPoolClient {
  const basic = readBasic(headers.authorization);
  if (basic && form.client_secret !== undefined) throw invalidRequest('The secret is in the header or in the body');
  const id = basic?.id ?? form.client_id;
  const secret = basic?.secret ?? form.client_secret;
  if (id === undefined || id === '') throw invalidRequest('client_id is missing');
  const client = pool.clients.get(id);
  const isSame = form.client_id === undefined || form.client_id === id;
  const isRight = client?.secret === undefined ? secret === undefined : sameText(secret ?? '', client.secret);
  if (!client || !isSame || !isRight) throw new OAuthError('invalid_client', undefined, status);
  return client;
}

function readBasic(header: string | undefined): { readonly id: string; readonly secret: string } | undefined {
  const [, encoded] = /^Basic ([\w+/=-]+)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const at = text.indexOf(':');
  return { id: text.slice(0, at), secret: text.slice(at + 1) };
}
