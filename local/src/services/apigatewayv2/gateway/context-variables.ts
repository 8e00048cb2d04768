/** The variables of access logs and identity sources (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html). */
import { domainName, requestTime } from './event.ts';
import { type Exchange, headerOf } from './exchange.ts';

/** What is known once the answer is. */
export interface Outcome {
  readonly status: number;
  readonly responseLength: number;
  /** Milliseconds. */
  readonly latencyMs: number;
  /** The message of the gateway's own answer. */
  readonly errorMessage: string | undefined;
}

type Variable = (exchange: Exchange, outcome: Outcome | undefined) => unknown;

const identity = (member: string): Variable => {
  return ({ principal }) => (principal?.kind === 'iam' ? principal.identity[member] : undefined);
};
const integrationStatus: Variable = ({ integrationLatencyMs, integrationError }) =>
  integrationLatencyMs !== undefined && integrationError === undefined ? 200 : undefined;
const integrationLatency: Variable = ({ integrationLatencyMs: ms }) => (ms === undefined ? undefined : Math.round(ms));
const integrationError: Variable = (exchange) => exchange.integrationError;

const VARIABLES: Readonly<Record<string, Variable>> = {
  accountId: ({ kernel }) => kernel.accountId,
  apiId: ({ api }) => api.definition.apiId,
  'authorizer.error': ({ authorizerError }) => authorizerError,
  'authorizer.principalId': ({ principal }) => (principal?.kind === 'lambda' ? principal.principalId : undefined),
  dataProcessed: ({ request }, outcome) => outcome && request.body.length + outcome.responseLength,
  domainName: (exchange) => domainName(exchange),
  domainPrefix: ({ api }) => api.definition.apiId,
  'error.message': (_exchange, outcome) => outcome?.errorMessage,
  'error.messageString': (_exchange, outcome) => outcome?.errorMessage && JSON.stringify(outcome.errorMessage),
  extendedRequestId: ({ requestId }) => requestId,
  httpMethod: ({ request }) => request.method,
  'identity.accountId': identity('accountId'),
  'identity.caller': identity('callerId'),
  'identity.sourceIp': ({ request }) => request.sourceIp,
  'identity.user': identity('userId'),
  'identity.userAgent': ({ request }) => headerOf(request, 'user-agent'),
  'identity.userArn': identity('userArn'),
  'integration.error': integrationError,
  'integration.integrationStatus': integrationStatus,
  'integration.latency': integrationLatency,
  'integration.status': integrationStatus,
  integrationErrorMessage: integrationError,
  integrationLatency,
  integrationStatus,
  path: ({ request }) => request.path,
  protocol: ({ request }) => request.protocol,
  requestId: ({ requestId }) => requestId,
  requestTime: ({ startedAt }) => requestTime(startedAt),
  requestTimeEpoch: ({ startedAt }) => startedAt,
  responseLatency: (_exchange, outcome) => outcome && Math.round(outcome.latencyMs),
  responseLength: (_exchange, outcome) => outcome?.responseLength,
  routeKey: ({ route }) => route?.routeKey,
  stage: ({ stage }) => stage?.stageName,
  status: (_exchange, outcome) => outcome?.status,
};

/** The value of `$context.<name>`; undefined when it has none. `outcome` is undefined while the request is on its way. */
export function contextVariable(exchange: Exchange, name: string, outcome?: Outcome): string | undefined {
  const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
  const value = variable ? variable(exchange, outcome) : ofAuthorizer(exchange, name);
  return value === undefined || value === null ? undefined : String(value);
}

/** `authorizer.claims.<claim>` of a token, `authorizer.<property>` of a function's context. */
function ofAuthorizer({ principal }: Exchange, name: string): unknown {
  const claim = /^authorizer\.claims\.(.+)$/.exec(name)?.[1];
  if (principal?.kind === 'jwt' && claim !== undefined && Object.hasOwn(principal.claims, claim)) {
    return principal.claims[claim];
  }
  const property = /^authorizer\.(.+)$/.exec(name)?.[1];
  if (principal?.kind === 'lambda' && property !== undefined && Object.hasOwn(principal.context, property)) {
    return principal.context[property];
  }
  return undefined;
}
