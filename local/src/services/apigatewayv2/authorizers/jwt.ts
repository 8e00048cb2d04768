import { type Answer, type Exchange, forbidden, unauthorized } from '../gateway/exchange.ts';
import type { JwtAuthorizer, Route } from '../types.ts';
import { identityOf } from './identity-source.ts';
import type { KeySets } from './key-sets.ts';
import { type Claims, InvalidToken, verifyToken } from './verify-token.ts';

/** Sets the principal of a request whose token is good; otherwise gives the refusal. */
export async function authorizeByToken(
  exchange: Exchange,
  route: Route,
  authorizer: JwtAuthorizer,
  keySets: KeySets,
): Promise<Answer | undefined> {
  const { kernel } = exchange;
  const given = identityOf(exchange, authorizer.identitySource[0] ?? '');
  if (given === undefined) return unauthorized({ 'www-authenticate': 'Bearer' });
  const wanted = route.authorizationScopes;
  const challenge = (error: string, description: string) => ({
    'www-authenticate': `Bearer scope="${wanted.join(' ')}" error="${error}" error_description="${description}"`,
  });
  try {
    const claims = await verifyToken(given.replace(/^Bearer\s+/i, ''), {
      authorizer,
      findKey: (issuer, keyId) => keySets.find(issuer, keyId),
      nowSeconds: Math.floor(kernel.clock.now() / 1000),
    });
    const scopes = scopesOf(claims);
    if (wanted.length > 0 && !wanted.some((each) => scopes.includes(each))) {
      exchange.authorizerError = 'insufficient_scope';
      return forbidden(challenge('insufficient_scope', 'the token does not have a required scope'));
    }
    exchange.principal = { kind: 'jwt', claims: textClaims(claims), scopes: wanted.length > 0 ? scopes : null };
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    if (error.cause !== undefined) {
      kernel.log.warn('the keys of an issuer are not to be had', {
        issuer: authorizer.jwtConfiguration.issuer,
        error: error.cause,
      });
    }
    exchange.authorizerError = error.message;
    return unauthorized(challenge('invalid_token', error.message));
  }
}

/** `scope`, or `scp` as some issuers call it: a list, or texts between spaces. */
function scopesOf({ scope, scp }: Claims): readonly string[] {
  return [scope ?? scp ?? []].flat().flatMap((each) =>
    String(each)
      .split(' ')
      .filter((one) => one !== ''),
  );
}

/** Events have claims as text; a list is written between brackets. */
function textClaims(claims: Claims): Record<string, string> {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, asText(value)]));
}

function asText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asText).join(' ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
