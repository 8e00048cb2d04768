import type { LocalIam } from '../../../iam/local-iam.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { type Answer, type Exchange, internalServerError } from '../gateway/exchange.ts';
import type { Configuration, Route } from '../types.ts';
import { authorizeBySignature } from './iam.ts';
import { authorizeByToken } from './jwt.ts';
import { KeySets } from './key-sets.ts';
import { RequestAuthorizers } from './request.ts';

/** Decides whether a request may reach its integration. */
export class Authorization {
  readonly #iam: LocalIam;
  readonly #keySets: KeySets;
  readonly #functions = new RequestAuthorizers();

  constructor(kernel: Kernel, iam: LocalIam) {
    this.#iam = iam;
    this.#keySets = new KeySets({
      region: kernel.region,
      endpoint: kernel.endpoint,
      now: () => kernel.clock.now(),
    });
  }

  /** Undefined for a request that may go on, with its principal set; otherwise the refusal. */
  async refusal(exchange: Exchange, route: Route, configuration: Configuration): Promise<Answer | undefined> {
    if (route.authorizationType === 'NONE') return undefined;
    if (route.authorizationType === 'AWS_IAM') return authorizeBySignature(exchange, this.#iam);
    const authorizer = configuration.authorizers.get(route.authorizerId ?? '');
    // Without its authorizer a route lets nobody in.
    if (!authorizer) return internalServerError();
    if (authorizer.authorizerType === 'REQUEST') return this.#functions.authorize(exchange, authorizer);
    return authorizeByToken(exchange, route, authorizer, this.#keySets);
  }
}
