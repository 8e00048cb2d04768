import { compilePolicy } from '../../../iam/compile-policy.ts';
import { evaluate } from '../../../iam/evaluate.ts';
import type { PolicyDocument } from '../../../iam/policy-document.ts';
import { AwsError } from '../../../kernel/errors.ts';
import { requestEvent } from '../gateway/event.ts';
import { type Answer, type Exchange, forbidden, internalServerError, unauthorized } from '../gateway/exchange.ts';
import { invokeFunction } from '../gateway/invoke.ts';
import type { RequestAuthorizer } from '../types.ts';
import { identityOf } from './identity-source.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const LIMIT_MS = 10_000;

type Members = Readonly<Record<string, unknown>>;

interface Kept {
  readonly value: unknown;
  readonly until: number;
}

/**
 * Authorizers that are functions
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html), and what they answered
 * for as long as that may be used again.
 */
export class RequestAuthorizers {
  readonly #kept = new Map<string, Kept>();

  /** Sets the principal of a request that the function allows; otherwise gives the refusal. */
  async authorize(exchange: Exchange, authorizer: RequestAuthorizer): Promise<Answer | undefined> {
    const identity = authorizer.identitySource.map((each) => identityOf(exchange, each));
    if (identity.includes(undefined)) return unauthorized();
    const { kernel, api } = exchange;
    const now = kernel.clock.now();
    const key = JSON.stringify([api.definition.apiId, exchange.stage?.stageName, authorizer.authorizerId, identity]);
    const kept = this.#kept.get(key);
    if (kept && kept.until > now) return decide(exchange, authorizer, kept.value);
    this.#forgetBefore(now);
    const asked = await ask(exchange, authorizer, identity);
    if ('answer' in asked) return asked.answer;
    const ttlMs = authorizer.authorizerResultTtlInSeconds * 1000;
    const answer = decide(exchange, authorizer, asked.value);
    // What is malformed is asked for again.
    if (ttlMs > 0 && answer?.status !== 500) this.#kept.set(key, { value: asked.value, until: now + ttlMs });
    return answer;
  }

  #forgetBefore(now: number): void {
    for (const [key, { until }] of this.#kept) if (until <= now) this.#kept.delete(key);
  }
}

async function ask(
  exchange: Exchange,
  authorizer: RequestAuthorizer,
  identity: readonly (string | undefined)[],
): Promise<{ readonly value: unknown } | { readonly answer: Answer }> {
  const { kernel, api } = exchange;
  const fail = (reason: string, answer = internalServerError()) => {
    exchange.authorizerError = reason;
    kernel.log.info('an authorizer gave no answer', { api: api.definition.name, authorizer: authorizer.name, reason });
    return { answer };
  };
  const sourceArn = kernel.arn('execute-api', `${api.definition.apiId}/authorizers/${authorizer.authorizerId}`);
  try {
    const event = eventOf(exchange, authorizer, identity);
    const result = await invokeFunction(kernel, authorizer.authorizerUri, sourceArn, event, LIMIT_MS);
    if (result.kind === 'returned') return { value: result.value };
    if (result.kind === 'timed-out') return fail('The authorizer timed out');
    return result.message === 'Unauthorized' ? fail(result.message, unauthorized()) : fail(result.message);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return fail(error.message);
  }
}

function eventOf(
  exchange: Exchange,
  { authorizerPayloadFormatVersion: version }: RequestAuthorizer,
  identity: readonly (string | undefined)[],
): Members {
  const event = requestEvent(exchange, version);
  if (version === '2.0') {
    return { ...event, type: 'REQUEST', routeArn: requestArn(exchange), identitySource: identity };
  }
  const identitySource = identity.join(',');
  return {
    ...event,
    type: 'REQUEST',
    methodArn: requestArn(exchange),
    identitySource,
    authorizationToken: identitySource,
  };
}

/** Undefined when the function allows the request. */
function decide(exchange: Exchange, authorizer: RequestAuthorizer, value: unknown): Answer | undefined {
  const { isAuthorized, principalId, policyDocument, context = {} } = Object(value) as Members;
  let isAllowed: boolean | undefined;
  if (authorizer.enableSimpleResponses) isAllowed = typeof isAuthorized === 'boolean' ? isAuthorized : undefined;
  else isAllowed = typeof principalId === 'string' ? isAllowedBy(exchange, policyDocument) : undefined;
  if (isAllowed === undefined || typeof context !== 'object') {
    exchange.authorizerError = 'The response of the authorizer is malformed';
    return internalServerError();
  }
  if (!isAllowed) return forbidden();
  exchange.principal = {
    kind: 'lambda',
    principalId: typeof principalId === 'string' ? principalId : undefined,
    context: { ...context },
  };
  return undefined;
}

/** What the policy says about this request; undefined for one that is malformed. */
function isAllowedBy(exchange: Exchange, document: unknown): boolean | undefined {
  const { kernel } = exchange;
  try {
    const policy = compilePolicy(document as PolicyDocument, 'identity');
    const resource = requestArn(exchange);
    const caller = kernel.serviceCaller('apigateway.amazonaws.com', resource);
    return evaluate([policy], { caller, action: 'execute-api:Invoke', resource, keys: () => undefined }) === 'allow';
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    kernel.log.info('the policy of an authorizer cannot be used', { reason: error.message });
    return undefined;
  }
}

/** The request as policies name it: `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>`. */
export function requestArn({ kernel, api, stage, request }: Exchange): string {
  const { stageName = '' } = stage ?? {};
  const prefix = stageName === '$default' ? '' : `/${stageName}`;
  const path = request.path.startsWith(prefix) ? request.path.slice(prefix.length) : request.path;
  return kernel.arn('execute-api', `${api.definition.apiId}/${stageName}/${request.method}${path || '/'}`);
}
