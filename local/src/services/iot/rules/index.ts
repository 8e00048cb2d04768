/** Rules: messages -> SQL -> actions on other services (https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html). */
import { createPost } from '../../../http/post.ts';
import type { Route } from '../../../http/protocols/index.ts';
import { type KeptState, together } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { AnyOperation, Service } from '../../../kernel/service.ts';
import type { MessageBus } from '../types.ts';
import { confirmationLinks } from './confirmation-links.ts';
import { Destinations } from './destinations.ts';
import { RulesEngine } from './engine.ts';
import { topicRuleDestinationOperations } from './operations/topic-rule-destinations.ts';
import { topicRuleOperations } from './operations/topic-rules.ts';
import { topicRuleRoutes } from './routes.ts';
import { RuleStore } from './rule-store.ts';
import { sendToDestination } from './send-to-destination.ts';

export interface Rules {
  /** For the service `iot`. */
  readonly operations: Readonly<Record<string, AnyOperation>>;
  readonly routes: readonly Route[];
  /** Answers the links with which destinations confirm. */
  readonly unsigned: NonNullable<Service['unsigned']>;
  readonly state: KeptState;
}

/**
 * Makes the rules of an account; they see every message that the bus carries from now on. `rootCaFile` is a root that
 * HTTPS destinations on this machine may have their certificate from.
 */
export function createRules(kernel: Kernel, bus: MessageBus, rootCaFile = ''): Rules {
  const rules = new RuleStore(kernel);
  const post = createPost(rootCaFile);
  const destinations = new Destinations(kernel, post);
  const engine = new RulesEngine(kernel, rules);
  bus.listen((message) => engine.handle(message));
  return {
    operations: {
      ...topicRuleOperations(kernel, rules, destinations),
      ...topicRuleDestinationOperations(kernel, destinations),
      SendToDestination: sendToDestination(kernel, destinations, post),
    },
    unsigned: confirmationLinks(destinations),
    routes: topicRuleRoutes,
    state: together(rules, destinations),
  };
}
