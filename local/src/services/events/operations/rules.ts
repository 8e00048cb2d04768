import type {
  DeleteRuleCommandInput,
  DescribeRuleCommandInput,
  DescribeRuleResponse,
  ListRulesCommandInput,
  ListRulesResponse,
  PutRuleCommandInput,
  PutRuleResponse,
} from '@aws-sdk/client-eventbridge';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import { checkBus } from '../event-bus.ts';
import { type Rule, type Rules, ruleSettings } from '../rules.ts';

export function rulePermission(rules: Rules, action: string, name: string | undefined): Permission {
  return { action: `events:${action}`, resource: rules.kernel.arn('events', `rule/${name}`) };
}

/** @throws AwsError ResourceNotFoundException */
export function getRule(rules: Rules, name: string | undefined, bus: string | undefined): Rule {
  checkBus(bus);
  const rule = rules.find(name);
  if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
  return rule;
}

/** PutRule, with an event pattern or a schedule: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html */
export function putRule(rules: Rules): AnyOperation {
  return operation<PutRuleCommandInput, PutRuleResponse>({
    permissions: (input) => [rulePermission(rules, 'PutRule', input.Name)],
    run(input) {
      checkBus(input.EventBusName);
      const { Name = '', EventPattern, ScheduleExpression, State = 'ENABLED' } = input;
      if (!/^[.\w-]{1,64}$/.test(Name)) throw invalid(`Name "${Name}" must be 1 to 64 of . - _ A-Z a-z 0-9`);
      if (!EventPattern && !ScheduleExpression) {
        throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
      }
      if (input.RoleArn !== undefined) {
        throw new AwsError('NotEmulated', 'The local runtime does not emulate RoleArn of events:PutRule.', 501);
      }
      const settings = ruleSettings({
        description: input.Description,
        eventPattern: EventPattern || undefined,
        scheduleExpression: ScheduleExpression || undefined,
      });
      const rule = rules.put(Name, settings);
      rules.enable(rule, State !== 'DISABLED');
      return { RuleArn: rule.arn };
    },
  });
}

/** DeleteRule: its targets must have been removed. */
export function deleteRule(rules: Rules): AnyOperation {
  return operation<DeleteRuleCommandInput, Record<string, never>>({
    permissions: (input) => [rulePermission(rules, 'DeleteRule', input.Name)],
    run(input) {
      const rule = rules.find(input.Name);
      if (rule && rule.targets.size > 0) throw invalid("Rule can't be deleted since it has targets.");
      if (rule) rules.delete(rule);
      return {};
    },
  });
}

export function describeRule(rules: Rules): AnyOperation {
  return operation<DescribeRuleCommandInput, DescribeRuleResponse>({
    permissions: (input) => [rulePermission(rules, 'DescribeRule', input.Name)],
    run: (input) => show(getRule(rules, input.Name, input.EventBusName)),
  });
}

export function listRules(rules: Rules): AnyOperation {
  return operation<ListRulesCommandInput, ListRulesResponse>({
    permissions: () => [rulePermission(rules, 'ListRules', '*')],
    run(input) {
      checkBus(input.EventBusName);
      return { Rules: rules.all.filter(({ name }) => name.startsWith(input.NamePrefix ?? '')).map(show) };
    },
  });
}

/** EnableRule and DisableRule. */
export function switchRule(rules: Rules, action: string, enabled: boolean): AnyOperation {
  return operation<DescribeRuleCommandInput, Record<string, never>>({
    permissions: (input) => [rulePermission(rules, action, input.Name)],
    run(input) {
      rules.enable(getRule(rules, input.Name, input.EventBusName), enabled);
      return {};
    },
  });
}

function show({ name, arn, enabled, settings }: Rule) {
  return {
    Name: name,
    Arn: arn,
    EventPattern: settings.eventPattern,
    ScheduleExpression: settings.scheduleExpression,
    State: enabled ? ('ENABLED' as const) : ('DISABLED' as const),
    Description: settings.description,
    EventBusName: 'default',
  };
}
