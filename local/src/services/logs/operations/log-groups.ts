import type {
  CreateLogGroupCommandInput,
  DeleteLogGroupCommandInput,
  DeleteRetentionPolicyCommandInput,
  DescribeLogGroupsCommandInput,
  DescribeLogGroupsResponse,
  PutRetentionPolicyCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { LogGroups } from '../log-groups.ts';

/** The days that PutRetentionPolicy takes. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export function createLogGroup(groups: LogGroups): AnyOperation {
  return operation<CreateLogGroupCommandInput, Record<string, never>>({
    permissions: (input) => [groups.permission('CreateLogGroup', input.logGroupName)],
    run(input) {
      const name = input.logGroupName ?? '';
      if (!/^[\w./#-]{1,512}$/.test(name)) {
        throw invalid(
          `logGroupName "${name}" must be 1 to 512 of the characters a-z, A-Z, 0-9, _ - / . #`,
          'InvalidParameterException',
        );
      }
      groups.create(name);
      return {};
    },
  });
}

export function deleteLogGroup(groups: LogGroups): AnyOperation {
  return operation<DeleteLogGroupCommandInput, Record<string, never>>({
    permissions: (input) => [groups.permission('DeleteLogGroup', input.logGroupName)],
    run(input) {
      groups.delete(groups.get(input.logGroupName).name);
      return {};
    },
  });
}

/** DescribeLogGroups, by prefix or part of the name; 50 to a page. */
export function describeLogGroups(groups: LogGroups): AnyOperation {
  return operation<DescribeLogGroupsCommandInput, DescribeLogGroupsResponse>({
    permissions: () => [groups.permission('DescribeLogGroups', '')],
    run(input) {
      const matching = groups.all
        .filter(({ name }) => name.startsWith(input.logGroupNamePrefix ?? ''))
        .filter(({ name }) => name.toLowerCase().includes((input.logGroupNamePattern ?? '').toLowerCase()))
        .filter(({ name }) => name > (input.nextToken ?? ''))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const page = matching.slice(0, input.limit ?? 50);
      return {
        logGroups: page.map(({ name, arn, createdAt, retentionInDays }) => ({
          logGroupName: name,
          arn: `${arn}:*`,
          logGroupArn: arn,
          creationTime: createdAt,
          retentionInDays,
        })),
        ...(page.length < matching.length && { nextToken: page.at(-1)?.name }),
      };
    },
  });
}

/** PutRetentionPolicy: events older than that many days of virtual time are gone. */
export function putRetentionPolicy(groups: LogGroups): AnyOperation {
  return operation<PutRetentionPolicyCommandInput, Record<string, never>>({
    permissions: (input) => [groups.permission('PutRetentionPolicy', input.logGroupName)],
    run(input) {
      const days = input.retentionInDays ?? 0;
      if (!RETENTION_DAYS.includes(days)) {
        throw invalid(
          `retentionInDays is ${days}; it is one of ${RETENTION_DAYS.join(', ')}`,
          'InvalidParameterException',
        );
      }
      groups.get(input.logGroupName).retentionInDays = days;
      return {};
    },
  });
}

export function deleteRetentionPolicy(groups: LogGroups): AnyOperation {
  return operation<DeleteRetentionPolicyCommandInput, Record<string, never>>({
    permissions: (input) => [groups.permission('DeleteRetentionPolicy', input.logGroupName)],
    run(input) {
      groups.get(input.logGroupName).retentionInDays = undefined;
      return {};
    },
  });
}
