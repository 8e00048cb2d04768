import type {
  ContinuousBackupsDescription,
  DescribeContinuousBackupsCommandInput,
  DescribeTimeToLiveCommandInput,
  ListTagsOfResourceCommandInput,
  TagResourceCommandInput,
  TimeToLiveDescription,
  TimeToLiveSpecification,
  UntagResourceCommandInput,
  UpdateContinuousBackupsCommandInput,
  UpdateTimeToLiveCommandInput,
} from '@aws-sdk/client-dynamodb';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import type { Table } from '../table.ts';
import type { Tables } from '../tables.ts';
import { checkTags } from './create-table.ts';

function onTable(tables: Tables, action: string): (input: { TableName?: string | undefined }) => readonly Permission[] {
  return ({ TableName }) => [{ action: `dynamodb:${action}`, resource: tables.arn(tables.nameOf(TableName)) }];
}

function onArn(action: string): (input: { ResourceArn?: string | undefined }) => readonly Permission[] {
  return ({ ResourceArn }) => [{ action: `dynamodb:${action}`, resource: ResourceArn ?? '*' }];
}

/** UpdateTimeToLive: which attribute holds the expiry of items, in epoch seconds. */
export function updateTimeToLive(tables: Tables): AnyOperation {
  return operation<UpdateTimeToLiveCommandInput, { TimeToLiveSpecification: TimeToLiveSpecification }>({
    permissions: onTable(tables, 'UpdateTimeToLive'),
    run({ TableName, TimeToLiveSpecification: wanted }) {
      const table = tables.describe(tables.nameOf(TableName));
      if (wanted?.AttributeName === undefined || wanted.Enabled === undefined) {
        throw invalid('TimeToLiveSpecification needs Enabled and AttributeName');
      }
      const current = tables.timeToLiveAttribute(table);
      if (wanted.Enabled === (current !== undefined)) {
        throw invalid(`TimeToLive is already ${wanted.Enabled ? 'enabled' : 'disabled'}`);
      }
      if (current !== undefined && current !== wanted.AttributeName) {
        throw invalid(`TimeToLive is active on a different AttributeName: current AttributeName is ${current}`);
      }
      tables.setTimeToLive(table, wanted.Enabled ? wanted.AttributeName : undefined);
      return { TimeToLiveSpecification: wanted };
    },
  });
}

/** DescribeTimeToLive. */
export function describeTimeToLive(tables: Tables): AnyOperation {
  return operation<DescribeTimeToLiveCommandInput, { TimeToLiveDescription: TimeToLiveDescription }>({
    permissions: onTable(tables, 'DescribeTimeToLive'),
    run({ TableName }) {
      const attribute = tables.timeToLiveAttribute(tables.describe(tables.nameOf(TableName)));
      return {
        TimeToLiveDescription:
          attribute === undefined
            ? { TimeToLiveStatus: 'DISABLED' }
            : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
      };
    },
  });
}

function continuousBackups({ settings }: Table, now: number): ContinuousBackupsDescription {
  const recovery = settings.pointInTimeRecovery;
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription:
      recovery === undefined
        ? { PointInTimeRecoveryStatus: 'DISABLED' }
        : {
            PointInTimeRecoveryStatus: 'ENABLED',
            RecoveryPeriodInDays: recovery.periodDays,
            EarliestRestorableDateTime: new Date(recovery.enabledAt),
            LatestRestorableDateTime: new Date(now),
          },
  };
}

/** DescribeContinuousBackups. */
export function describeContinuousBackups(tables: Tables): AnyOperation {
  return operation<
    DescribeContinuousBackupsCommandInput,
    { ContinuousBackupsDescription: ContinuousBackupsDescription }
  >({
    permissions: onTable(tables, 'DescribeContinuousBackups'),
    run: ({ TableName }) => ({
      ContinuousBackupsDescription: continuousBackups(
        tables.describe(tables.nameOf(TableName)),
        tables.kernel.clock.now(),
      ),
    }),
  });
}

/** UpdateContinuousBackups: remembered and answered; there is nothing to restore from on this machine. */
export function updateContinuousBackups(tables: Tables): AnyOperation {
  return operation<UpdateContinuousBackupsCommandInput, { ContinuousBackupsDescription: ContinuousBackupsDescription }>(
    {
      permissions: onTable(tables, 'UpdateContinuousBackups'),
      run({ TableName, PointInTimeRecoverySpecification: wanted }) {
        const table = tables.describe(tables.nameOf(TableName));
        if (wanted?.PointInTimeRecoveryEnabled === undefined) {
          throw invalid('PointInTimeRecoverySpecification needs PointInTimeRecoveryEnabled');
        }
        const now = tables.kernel.clock.now();
        const periodDays = wanted.RecoveryPeriodInDays ?? 35;
        if (periodDays < 1 || periodDays > 35) throw invalid('RecoveryPeriodInDays must be between 1 and 35');
        table.settings.pointInTimeRecovery = wanted.PointInTimeRecoveryEnabled
          ? { enabledAt: table.settings.pointInTimeRecovery?.enabledAt ?? now, periodDays }
          : undefined;
        return { ContinuousBackupsDescription: continuousBackups(table, now) };
      },
    },
  );
}

/** TagResource. */
export function tagResource(tables: Tables): AnyOperation {
  return operation<TagResourceCommandInput, object>({
    permissions: onArn('TagResource'),
    run({ ResourceArn, Tags }) {
      const table = tables.byArn(ResourceArn);
      for (const { Key, Value } of checkTags(Tags)) table.tags.set(Key, Value);
      return {};
    },
  });
}

/** UntagResource. */
export function untagResource(tables: Tables): AnyOperation {
  return operation<UntagResourceCommandInput, object>({
    permissions: onArn('UntagResource'),
    run({ ResourceArn, TagKeys }) {
      const table = tables.byArn(ResourceArn);
      for (const key of TagKeys ?? []) table.tags.delete(key);
      return {};
    },
  });
}

/** ListTagsOfResource. */
export function listTagsOfResource(tables: Tables): AnyOperation {
  return operation<ListTagsOfResourceCommandInput, { Tags: { Key: string; Value: string }[] }>({
    permissions: onArn('ListTagsOfResource'),
    run: ({ ResourceArn }) => ({
      Tags: Array.from(tables.byArn(ResourceArn).tags, ([Key, Value]) => ({ Key, Value })),
    }),
  });
}
