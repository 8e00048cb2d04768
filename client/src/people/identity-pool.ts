import * as v from 'valibot';
import { callAws } from './aws-json.ts';

export interface IdentityPoolOptions {
  /** The output `IdentityPoolId`. */
  readonly identityPoolId: string;
  /** The output `UserPoolId`. */
  readonly userPoolId: string;
  /** Of the local runtime; AWS's own unless it is given. */
  readonly endpoint?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** For an hour. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const Identity = v.object({ IdentityId: v.string() });
const Issued = v.object({
  Credentials: v.object({ AccessKeyId: v.string(), SecretKey: v.string(), SessionToken: v.string() }),
});

/**
 * AWS credentials of a person, for MQTT, from their ID token. The client id for MQTT is `<identityId>-<tab>`.
 * @throws SignInError as the pool says it
 */
export async function credentialsFor(
  { identityPoolId, userPoolId, endpoint, fetch }: IdentityPoolOptions,
  idToken: string,
): Promise<{ readonly identityId: string; readonly credentials: Credentials }> {
  const region = userPoolId.slice(0, userPoolId.indexOf('_'));
  const service = {
    endpoint: endpoint ?? `https://cognito-identity.${region}.amazonaws.com/`,
    prefix: 'AWSCognitoIdentityService',
    fetch,
  };
  const Logins = { [`cognito-idp.${region}.amazonaws.com/${userPoolId}`]: idToken };
  const { IdentityId } = await callAws(service, 'GetId', { IdentityPoolId: identityPoolId, Logins }, Identity);
  const { Credentials: issued } = await callAws(service, 'GetCredentialsForIdentity', { IdentityId, Logins }, Issued);
  return {
    identityId: IdentityId,
    credentials: {
      accessKeyId: issued.AccessKeyId,
      secretAccessKey: issued.SecretKey,
      sessionToken: issued.SessionToken,
    },
  };
}
