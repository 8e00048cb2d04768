import type { TopicRulePayload } from '@aws-sdk/client-iot';
import { AwsError } from '../../../kernel/errors.ts';
import { invalidRequest } from '../control/errors.ts';
import { compileAction, type RuleAction } from './actions/index.ts';
import { type CompiledStatement, compileStatement } from './sql/compile-statement.ts';

const NAME = /^[a-zA-Z0-9_]{1,128}$/;
/** https://docs.aws.amazon.com/general/latest/gr/iot-core.html#rules-limits */
const MAX_ACTIONS = 10;
const SQL_VERSION = '2016-03-23';
const PAYLOAD_MEMBERS = ['sql', 'description', 'actions', 'ruleDisabled', 'awsIotSqlVersion', 'errorAction'];

/** A rule as it was given. */
export interface RuleDefinition {
  readonly name: string;
  readonly payload: TopicRulePayload;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** A rule, ready to run. */
export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly definition: RuleDefinition;
  readonly enabled: boolean;
  readonly statement: CompiledStatement;
  readonly actions: readonly RuleAction[];
  readonly errorAction: RuleAction | undefined;
}

export function checkRuleName(name: string | undefined): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw invalidRequest(
    `ruleName is ${JSON.stringify(name)}; it has to be 1 to 128 letters, digits and underscores: ${NAME.source}`,
  );
}

/**
 * Checks and compiles a rule.
 *
 * @throws AwsError InvalidRequestException, SqlParseException, or NotEmulated naming a version or an action
 */
export function compileRule(definition: RuleDefinition, arn: string): Rule {
  const { name, payload } = definition;
  const given = Object(payload) as TopicRulePayload;
  const unknown = Object.keys(given).filter((member) => !PAYLOAD_MEMBERS.includes(member));
  if (unknown.length > 0) throw invalidRequest(`topicRulePayload has no member ${unknown.join(', ')}`);
  const { sql, actions, errorAction, ruleDisabled = false } = given;
  if (typeof sql !== 'string' || sql === '') throw invalidRequest('topicRulePayload.sql is required');
  if (!Array.isArray(actions)) throw invalidRequest('topicRulePayload.actions is required; it may be empty');
  if (actions.length > MAX_ACTIONS) throw invalidRequest(`a rule has at most ${MAX_ACTIONS} actions`);
  if (typeof ruleDisabled !== 'boolean') throw invalidRequest('topicRulePayload.ruleDisabled has to be true or false');
  checkVersion(given.awsIotSqlVersion);
  const statement = compileStatement(sql);
  return {
    name,
    arn,
    definition,
    enabled: !ruleDisabled,
    statement,
    actions: actions.map((each, at) => compileAction(`actions[${at}]`, each, statement.variables)),
    errorAction: errorAction && compileAction('errorAction', errorAction, statement.variables),
  };
}

/** Every role that a rule takes: each needs iam:PassRole. */
export function roleArnsOf({ statement, actions, errorAction }: Rule): ReadonlySet<string> {
  const arns = new Set(statement.roleArns);
  for (const { roleArn } of errorAction ? [...actions, errorAction] : actions) {
    if (roleArn !== undefined) arns.add(roleArn);
  }
  return arns;
}

/** The confirmation URLs of the destinations that a rule needs, as far as they are known. */
export function destinationUrlsOf({ actions, errorAction }: Rule): readonly string[] {
  return [...actions, errorAction].map((each) => each?.destinationUrl).filter((url) => url !== undefined);
}

/**
 * AWS takes 2015-10-08 when a rule names no version
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-sql-version.html), which is not emulated either.
 */
function checkVersion(version: string | undefined): void {
  if (version === SQL_VERSION) return;
  const which = version === undefined ? '2015-10-08, which AWS takes when awsIotSqlVersion is not given' : version;
  throw new AwsError(
    'NotEmulated',
    `The local runtime does not emulate the SQL version ${which}. Set awsIotSqlVersion to ${SQL_VERSION}.`,
    501,
  );
}
