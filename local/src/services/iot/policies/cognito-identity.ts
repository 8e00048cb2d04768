import type { Caller } from '../../../kernel/caller.ts';

const COGNITO = 'cognito-identity.amazonaws.com';

/** The id of the authenticated identity that a caller is; undefined for guests of an identity pool and everybody else. */
export function cognitoIdentityOf(caller: Caller): string | undefined {
  if (caller.kind !== 'role') return undefined;
  const { [`${COGNITO}:amr`]: methods = [], [`${COGNITO}:sub`]: identity } = caller.sessionKeys ?? {};
  return [methods].flat().includes('authenticated') && typeof identity === 'string' ? identity : undefined;
}
