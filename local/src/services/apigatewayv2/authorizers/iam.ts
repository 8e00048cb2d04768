import { authenticate } from '../../../http/signature/authenticate.ts';
import { type HttpRequest, readSignature } from '../../../http/signature/scope.ts';
import type { LocalIam } from '../../../iam/local-iam.ts';
import type { Caller } from '../../../kernel/caller.ts';
import { AwsError } from '../../../kernel/errors.ts';
import { type Answer, type ClientRequest, type Exchange, forbidden } from '../gateway/exchange.ts';
import { requestArn } from './request.ts';

const SERVICE = 'execute-api';

/**
 * Sets the principal of a request that is signed by someone whose policies allow `execute-api:Invoke` on the route;
 * otherwise gives the refusal (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html).
 */
export function authorizeBySignature(exchange: Exchange, iam: LocalIam): Answer | undefined {
  const { kernel, request, requestId } = exchange;
  try {
    const signed = httpRequestOf(request);
    const claim = readSignature(signed);
    if (claim?.service !== SERVICE) return forbidden();
    const verifier = {
      region: kernel.region,
      now: () => kernel.clock.now(),
      find: (accessKeyId: string) => iam.credentialsOf(accessKeyId),
    };
    const { caller } = authenticate(signed, claim, verifier);
    const context = { caller, requestId, sourceIp: request.sourceIp };
    iam.authorize(context, { action: 'execute-api:Invoke', resource: requestArn(exchange) });
    exchange.principal = { kind: 'iam', identity: identityOf(caller, claim.accessKeyId) };
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    exchange.authorizerError = error.message;
    return forbidden();
  }
}

function identityOf(caller: Caller, accessKey: string): Readonly<Record<string, unknown>> {
  const id = caller.kind === 'role' ? `${caller.roleName}:${caller.sessionName}` : caller.arn;
  return {
    accessKey,
    accountId: caller.accountId,
    callerId: id,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: caller.arn,
    userId: id,
  };
}

function httpRequestOf({ method, target, rawQuery, query, headers, body }: ClientRequest): HttpRequest {
  const at = target.indexOf('?');
  return {
    method,
    path: at < 0 ? target : target.slice(0, at),
    rawQuery,
    query,
    headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.join(',')])),
    body,
  };
}
