import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { toNamedValues } from '../attributes.ts';
import { sameText } from '../client-access.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { required } from '../errors.ts';
import { describeFactors } from '../software-token.ts';
import { type Bearer, ownerOf } from '../tokens.ts';
import { publicOperation } from './public-operation.ts';

interface TokenInput {
  readonly AccessToken?: string;
}

/** What people do with their own account, with an access token that has the scope for it. */
export function ownAccountOperations({ pools }: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const bearer = ({ AccessToken }: TokenInput): Bearer => ownerOf(pools, AccessToken);
  return {
    GetUser: publicOperation<TokenInput>((input) => {
      const { user, pool, claims } = bearer(input);
      const readable = pool.clients.get(String(claims.client_id))?.settings.readAttributes;
      return { Username: user.username, UserAttributes: toNamedValues(user, readable), ...describeFactors(user) };
    }),
    DeleteUser: publicOperation<TokenInput>((input) => {
      const { user, users, sessions } = bearer(input);
      sessions.revokeAll(user);
      users.delete(user);
      return {};
    }),
    GlobalSignOut: publicOperation<TokenInput>((input) => {
      const { user, sessions } = bearer(input);
      sessions.revokeAll(user);
      return {};
    }),
    RevokeToken: publicOperation<{
      readonly ClientId?: string;
      readonly ClientSecret?: string;
      readonly Token?: string;
    }>(({ ClientId, ClientSecret, Token }) => {
      const { client, sessions } = pools.byClient(ClientId);
      if (client.secret !== undefined && !sameText(ClientSecret ?? '', client.secret)) {
        throw new AwsError('UnauthorizedException', 'Invalid client secret');
      }
      if (!client.settings.tokenRevocation) {
        throw new AwsError('UnsupportedOperationException', 'Token revocation is not enabled for this client');
      }
      sessions.revoke(required(Token, 'Token'), client);
      return {};
    }),
  };
}
