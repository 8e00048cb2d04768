import type {
  ListTargetsByRuleCommandInput,
  ListTargetsByRuleResponse,
  PutTargetsCommandInput,
  PutTargetsResponse,
  RemoveTargetsCommandInput,
  RemoveTargetsResponse,
  Target as TargetInput,
} from '@aws-sdk/client-eventbridge';
import { parseArn } from '../../../kernel/arn.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Rules, Target } from '../rules.ts';
import { getRule, rulePermission } from './rules.ts';

/** RetryPolicy has no effect: what fails here fails for good. */
const KNOWN = new Set(['Arn', 'Id', 'Input', 'InputPath', 'DeadLetterConfig', 'RetryPolicy']);
const MAX_TARGETS = 5;

/** PutTargets, for functions, queues and topics. */
export function putTargets(rules: Rules): AnyOperation {
  return operation<PutTargetsCommandInput, PutTargetsResponse>({
    permissions: (input) => [rulePermission(rules, 'PutTargets', input.Rule)],
    run(input) {
      const rule = getRule(rules, input.Rule, input.EventBusName);
      const targets = (input.Targets ?? []).map(read);
      const ids = new Set([...rule.targets.keys(), ...targets.map(({ id }) => id)]);
      if (ids.size > MAX_TARGETS) {
        throw new AwsError(
          'LimitExceededException',
          `The requested resource exceeds the maximum number of targets: ${MAX_TARGETS}.`,
        );
      }
      for (const target of targets) rule.targets.set(target.id, target);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
  });
}

function read(target: TargetInput): Target {
  const unknown = Object.keys(target).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new AwsError(
      'NotEmulated',
      `The local runtime does not emulate ${unknown} of a target of events:PutTargets.`,
      501,
    );
  }
  const { Id = '', Arn = '', Input, InputPath } = target;
  if (!/^[.\w-]{1,64}$/.test(Id)) throw invalid(`Target Id "${Id}" must be 1 to 64 of . - _ A-Z a-z 0-9`);
  const service = parseArn(Arn)?.service;
  if (service !== 'lambda' && service !== 'sqs' && service !== 'sns') {
    throw new AwsError(
      'NotEmulated',
      `The local runtime does not emulate the target ${Arn}; targets are functions, queues and topics.`,
      501,
    );
  }
  if (InputPath !== undefined && !/^\$(\.[\w-]+)*$/.test(InputPath)) {
    throw invalid(`InputPath ${InputPath} for target ${Id} is not valid: write $.member.member.`);
  }
  return { id: Id, arn: Arn, input: Input, inputPath: InputPath, deadLetterArn: target.DeadLetterConfig?.Arn };
}

export function removeTargets(rules: Rules): AnyOperation {
  return operation<RemoveTargetsCommandInput, RemoveTargetsResponse>({
    permissions: (input) => [rulePermission(rules, 'RemoveTargets', input.Rule)],
    run(input) {
      const rule = getRule(rules, input.Rule, input.EventBusName);
      for (const id of input.Ids ?? []) rule.targets.delete(id);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
  });
}

export function listTargetsByRule(rules: Rules): AnyOperation {
  return operation<ListTargetsByRuleCommandInput, ListTargetsByRuleResponse>({
    permissions: (input) => [rulePermission(rules, 'ListTargetsByRule', input.Rule)],
    run(input) {
      const { targets } = getRule(rules, input.Rule, input.EventBusName);
      return {
        Targets: [...targets.values()].map(({ id, arn, input: text, inputPath, deadLetterArn }) => ({
          Id: id,
          Arn: arn,
          Input: text,
          InputPath: inputPath,
          ...(deadLetterArn !== undefined && { DeadLetterConfig: { Arn: deadLetterArn } }),
        })),
      };
    },
  });
}
