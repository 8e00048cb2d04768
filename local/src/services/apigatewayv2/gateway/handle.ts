import type { LocalIam } from '../../../iam/local-iam.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { configurationOf } from '../apis.ts';
import { Authorization } from '../authorizers/authorize.ts';
import type { Stage, StoredApi } from '../types.ts';
import { isPreflight, preflightAnswer, withCors } from './cors.ts';
import {
  type Answer,
  type ClientRequest,
  type Exchange,
  internalServerError,
  newExchange,
  ownAnswer,
} from './exchange.ts';
import { integrate } from './integrate.ts';
import { matchRoute } from './match-route.ts';
import { record } from './record.ts';
import { Throttle } from './throttle.ts';

/** Handles requests: stage, preflight, route, limits, authorizer, integration, and what is recorded of them. */
export class RequestHandler {
  readonly #kernel: Kernel;
  readonly #authorization: Authorization;
  readonly #throttle = new Throttle();

  constructor(kernel: Kernel, iam: LocalIam) {
    this.#kernel = kernel;
    this.#authorization = new Authorization(kernel, iam);
  }

  /** `refused` is the answer to a request that is not to be looked at: it is too large. */
  async handle(api: StoredApi, request: ClientRequest, refused?: Answer): Promise<Answer> {
    const startedAt = performance.now();
    const exchange = newExchange(this.#kernel, api, request);
    const { corsConfiguration } = api.definition;
    let answer = await this.#answer(exchange, refused).catch((error: unknown) => {
      this.#kernel.log.error('a request to an API failed by a defect of the runtime', { error });
      return internalServerError();
    });
    if (corsConfiguration && !(isPreflight(request) && answer.status === 204)) {
      answer = withCors(answer, corsConfiguration, request);
    }
    const isOwn = exchange.integrationLatencyMs === undefined || exchange.integrationError !== undefined;
    record(exchange, {
      status: answer.status,
      responseLength: answer.body.length,
      latencyMs: performance.now() - startedAt,
      errorMessage: isOwn && answer.status >= 400 ? messageOf(answer) : undefined,
    });
    return { ...answer, headers: { ...answer.headers, 'apigw-requestid': exchange.requestId } };
  }

  async #answer(exchange: Exchange, refused: Answer | undefined): Promise<Answer> {
    const { api, request } = exchange;
    const { stage, path } = stageOf(api, request.path) ?? {};
    exchange.stage = stage;
    if (refused) return refused;
    const { corsConfiguration } = api.definition;
    const configuration = stage && configurationOf(api, stage);
    if (!stage || !configuration || path === undefined) return notFound();
    if (corsConfiguration && isPreflight(request)) return preflightAnswer(corsConfiguration, request);
    const match = matchRoute(configuration.routes.values(), request.method, path);
    if (!match) return notFound();
    const { route } = match;
    exchange.route = route;
    exchange.pathParameters = match.pathParameters;
    if (!this.#throttle.admits(api.definition.apiId, stage, route.routeKey, exchange.startedAt)) {
      exchange.isFree = true;
      return ownAnswer(429, 'Too Many Requests');
    }
    const refusal = await this.#authorization.refusal(exchange, route, configuration);
    if (refusal) {
      exchange.isFree = refusal.status === 401 || refusal.status === 403;
      return refusal;
    }
    const integration = configuration.integrations.get(route.target?.replace('integrations/', '') ?? '');
    return integration ? integrate(exchange, integration) : internalServerError();
  }
}

/** The stage that the first segment of the path names, and the path after it; otherwise `$default` and the whole path. */
function stageOf({ stages }: StoredApi, path: string): { readonly stage: Stage; readonly path: string } | undefined {
  const first = path.split('/')[1] ?? '';
  const named = first === '$default' ? undefined : stages.get(first);
  if (named) return { stage: named, path: path.slice(first.length + 1) || '/' };
  const byDefault = stages.get('$default');
  return byDefault && { stage: byDefault, path };
}

function notFound(): Answer {
  return ownAnswer(404, 'Not Found');
}

function messageOf({ body }: Answer): string {
  const { message } = JSON.parse(body.toString('utf8')) as { readonly message: string };
  return message;
}
