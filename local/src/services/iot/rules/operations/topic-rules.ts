import type {
  CreateTopicRuleRequest,
  DeleteTopicRuleRequest,
  DisableTopicRuleRequest,
  EnableTopicRuleRequest,
  GetTopicRuleRequest,
  GetTopicRuleResponse,
  ListTopicRulesRequest,
  ListTopicRulesResponse,
  ReplaceTopicRuleRequest,
  TopicRuleListItem,
} from '@aws-sdk/client-iot';
import { passRolePermission } from '../../../../iam/pass-role.ts';
import { operation } from '../../../../kernel/define.ts';
import type { Kernel } from '../../../../kernel/kernel.ts';
import type { AnyOperation, Permission } from '../../../../kernel/service.ts';
import { invalidRequest } from '../../control/errors.ts';
import { page } from '../../control/page.ts';
import type { Destinations } from '../destinations.ts';
import { checkRuleName, destinationUrlsOf, type Rule, roleArnsOf } from '../rule.ts';
import type { RuleStore } from '../rule-store.ts';
import { TopicFilterTree } from '../topic-filter-tree.ts';

/** Administration of rules (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRule.html and siblings). */
export function topicRuleOperations(
  kernel: Kernel,
  rules: RuleStore,
  destinations: Destinations,
): Readonly<Record<string, AnyOperation>> {
  /** "When you create a rule requiring a destination, AWS IoT sends a confirmation message" (ConfirmTopicRuleDestination). */
  const ensureDestinations = (rule: Rule): void => {
    for (const url of destinationUrlsOf(rule)) destinations.ensure(url);
  };
  const compile = ({ ruleName, topicRulePayload }: ReplaceTopicRuleRequest, createdAt: number): Rule => {
    if (!topicRulePayload) throw invalidRequest('topicRulePayload is required');
    return rules.compile({ name: checkRuleName(ruleName), payload: topicRulePayload, createdAt });
  };
  const on = (action: string, ruleName: string | undefined): readonly Permission[] => [
    { action: `iot:${action}`, resource: rules.arnOf(ruleName) },
  ];
  /** Whoever creates a rule hands its roles to AWS IoT. */
  const withRoles = (action: string, input: ReplaceTopicRuleRequest): readonly Permission[] => [
    ...on(action, input.ruleName),
    ...[...roleArnsOf(compile(input, 0))].map((arn) => passRolePermission(arn, 'iot.amazonaws.com')),
  ];
  return {
    CreateTopicRule: operation<CreateTopicRuleRequest, object>({
      permissions: (input) => withRoles('CreateTopicRule', input),
      run(input) {
        if (input.tags !== undefined) throw invalidRequest('the local runtime keeps no tags of rules: leave out tags');
        const rule = compile(input, kernel.clock.now());
        rules.create(rule);
        ensureDestinations(rule);
        return {};
      },
    }),
    ReplaceTopicRule: operation<ReplaceTopicRuleRequest, object>({
      permissions: (input) => withRoles('ReplaceTopicRule', input),
      run(input) {
        const { createdAt } = rules.get(input.ruleName).definition;
        const rule = compile(input, createdAt);
        rules.replace(rule);
        ensureDestinations(rule);
        return {};
      },
    }),
    GetTopicRule: operation<GetTopicRuleRequest, GetTopicRuleResponse>({
      permissions: ({ ruleName }) => on('GetTopicRule', ruleName),
      run: ({ ruleName }) => describe(rules.get(ruleName)),
    }),
    ListTopicRules: operation<ListTopicRulesRequest, ListTopicRulesResponse>({
      permissions: () => [{ action: 'iot:ListTopicRules', resource: '*' }],
      run: (input) => list(rules.all, input),
    }),
    DeleteTopicRule: operation<DeleteTopicRuleRequest, object>({
      permissions: ({ ruleName }) => on('DeleteTopicRule', ruleName),
      run({ ruleName }) {
        rules.delete(ruleName);
        return {};
      },
    }),
    EnableTopicRule: operation<EnableTopicRuleRequest, object>({
      permissions: ({ ruleName }) => on('EnableTopicRule', ruleName),
      run({ ruleName }) {
        rules.setEnabled(ruleName, true);
        return {};
      },
    }),
    DisableTopicRule: operation<DisableTopicRuleRequest, object>({
      permissions: ({ ruleName }) => on('DisableTopicRule', ruleName),
      run({ ruleName }) {
        rules.setEnabled(ruleName, false);
        return {};
      },
    }),
  };
}

function describe({ arn, enabled, definition: { name, payload, createdAt } }: Rule): GetTopicRuleResponse {
  return {
    ruleArn: arn,
    rule: { ...payload, ruleName: name, createdAt: new Date(createdAt), ruleDisabled: !enabled },
  };
}

/** `topic` keeps the rules that this topic would reach, disabled ones too. */
function list(
  all: readonly Rule[],
  { topic, ruleDisabled, maxResults, nextToken }: ListTopicRulesRequest,
): ListTopicRulesResponse {
  // In the query string a boolean is text.
  const disabled = ruleDisabled === undefined ? undefined : String(ruleDisabled) === 'true';
  const wanted = all.filter(
    ({ enabled, statement }) =>
      (disabled === undefined || enabled !== disabled) &&
      (topic === undefined || (statement.topicFilter !== undefined && matches(statement.topicFilter, topic))),
  );
  const { items, next } = page(wanted, ({ name }) => name, { size: maxResults, token: nextToken });
  return { rules: items.map(summary), nextToken: next };
}

function matches(filter: string, topic: string): boolean {
  const tree = new TopicFilterTree<true>();
  tree.add(filter, true);
  return tree.match(topic.split('/')).length > 0;
}

function summary({ name, arn, enabled, statement, definition }: Rule): TopicRuleListItem {
  return {
    ruleArn: arn,
    ruleName: name,
    topicPattern: statement.topicFilter,
    createdAt: new Date(definition.createdAt),
    ruleDisabled: !enabled,
  };
}
