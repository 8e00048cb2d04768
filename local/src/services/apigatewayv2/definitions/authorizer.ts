import { optionalBoolean, optionalNumber, optionalObject, text } from '../../../template/property-values.ts';
import { keySetUrl } from '../authorizers/key-sets.ts';
import { badRequest } from '../errors.ts';
import type { Authorizer } from '../types.ts';
import { type Properties, textList } from './api.ts';
import { functionArnIn, payloadFormatVersion } from './integration.ts';

const IDENTITY_SOURCE = /^\$(request\.(header|querystring)\.[\w-]+|(context|stageVariables)\.[\w.-]+)$/;
const MAX_TTL_SECONDS = 3600;

/**
 * An authorizer from the properties of a template.
 *
 * @throws AwsError BadRequestException; NotEmulated for an issuer that is neither a user pool of the account nor on this machine
 */
export function readAuthorizer(
  properties: Properties,
  authorizerId: string,
  account: { readonly region: string; readonly endpoint: string },
): Authorizer {
  const identitySource = textList(properties.IdentitySource, 'IdentitySource');
  const wrong = identitySource.find((each) => !IDENTITY_SOURCE.test(each));
  if (wrong !== undefined) throw badRequest(`IdentitySource ${wrong} is not a selection expression.`);
  const base = { authorizerId, name: text(properties.Name, 'Name'), identitySource };
  const authorizerType = text(properties.AuthorizerType, 'AuthorizerType');
  if (authorizerType === 'JWT') {
    if (identitySource.length !== 1) throw badRequest('A JWT authorizer has exactly one identity source.');
    const { Issuer, Audience } = optionalObject(properties.JwtConfiguration) ?? {};
    const issuer = text(Issuer, 'JwtConfiguration.Issuer');
    // Told now, not with the first request.
    keySetUrl(issuer, account);
    return { ...base, authorizerType, jwtConfiguration: { issuer, audience: textList(Audience, 'Audience') } };
  }
  if (authorizerType !== 'REQUEST') throw badRequest(`AuthorizerType is ${authorizerType}; it is JWT or REQUEST.`);
  return readRequestAuthorizer(properties, { ...base, authorizerType });
}

function readRequestAuthorizer(
  properties: Properties,
  base: Pick<Authorizer, 'authorizerId' | 'name' | 'identitySource'> & { readonly authorizerType: 'REQUEST' },
): Authorizer {
  const version = payloadFormatVersion(properties.AuthorizerPayloadFormatVersion, 'AuthorizerPayloadFormatVersion');
  const ttl = optionalNumber(properties.AuthorizerResultTtlInSeconds) ?? 0;
  if (ttl < 0 || ttl > MAX_TTL_SECONDS) throw badRequest(`AuthorizerResultTtlInSeconds is 0 to ${MAX_TTL_SECONDS}.`);
  if (ttl > 0 && base.identitySource.length === 0) {
    throw badRequest('An authorizer that caches its results needs an identity source.');
  }
  const enableSimpleResponses = optionalBoolean(properties.EnableSimpleResponses) ?? false;
  if (enableSimpleResponses && version === '1.0') {
    throw badRequest('Simple responses need AuthorizerPayloadFormatVersion 2.0.');
  }
  return {
    ...base,
    authorizerUri: functionArnIn(text(properties.AuthorizerUri, 'AuthorizerUri')),
    authorizerPayloadFormatVersion: version,
    enableSimpleResponses,
    authorizerResultTtlInSeconds: ttl,
  };
}
