import { PersonId, STAFF_GROUPS } from '@thingstead/contracts/grants';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import * as v from 'valibot';
import type { Caller } from './request.ts';

const Claims = v.object({
  sub: PersonId,
  /** An ID token also comes through the gateway's check; it is not for calling an API. */
  token_use: v.literal('access'),
  /** The gateway makes text of lists: `[operator support]`. */
  'cognito:groups': v.optional(v.string(), '[]'),
});

/** Undefined for a token that is no access token of a person. */
export function callerOf({ requestContext }: APIGatewayProxyEventV2WithJWTAuthorizer): Caller | undefined {
  const claims = v.safeParse(Claims, requestContext.authorizer?.jwt?.claims);
  if (!claims.success) return undefined;
  const names = claims.output['cognito:groups'].replace(/^\[|\]$/g, '').split(/[\s,]+/);
  return { person: claims.output.sub, groups: STAFF_GROUPS.filter((group) => names.includes(group)) };
}
