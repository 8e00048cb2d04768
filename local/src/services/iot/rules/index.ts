/** Rules: messages -> SQL -> actions on other services (https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html). */
import type { Route } from '../../../http/protocols/index.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { MessageBus } from '../types.ts';
import { RulesEngine } from './engine.ts';
import { topicRuleOperations } from './operations/topic-rules.ts';
import { topicRuleRoutes } from './routes.ts';
import { RuleStore } from './rule-store.ts';

export interface Rules {
  /** For the service `iot`. */
  readonly operations: Readonly<Record<string, AnyOperation>>;
  readonly routes: readonly Route[];
}

/** Makes the rules of an account; they see every message that the bus carries from now on. */
export function createRules(kernel: Kernel, bus: MessageBus): Rules {
  const rules = new RuleStore(kernel);
  const engine = new RulesEngine(kernel, rules);
  bus.listen((message) => engine.handle(message));
  return { operations: topicRuleOperations(kernel, rules), routes: topicRuleRoutes };
}
