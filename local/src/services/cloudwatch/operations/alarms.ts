import type {
  DeleteAlarmsCommandInput,
  DescribeAlarmsCommandInput,
  DescribeAlarmsOutput,
  EnableAlarmActionsCommandInput,
  MetricAlarm,
  SetAlarmStateCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import type { Alarm } from '../alarm.ts';
import type { Alarms } from '../alarms.ts';
import { isPercentile } from '../datapoint.ts';
import { toDimensions } from '../dimensions.ts';
import { invalidValue } from '../errors.ts';
import { page } from '../page.ts';

function permission(alarms: Alarms, action: string, name: string): Permission {
  return { action: `cloudwatch:${action}`, resource: alarms.kernel.arn('cloudwatch', `alarm:${name}`) };
}

/** DescribeAlarms, by name, prefix, state and action. */
export function describeAlarms(alarms: Alarms): AnyOperation {
  return operation<DescribeAlarmsCommandInput, DescribeAlarmsOutput>({
    permissions: (input) => {
      const names = input.AlarmNames ?? [];
      return (names.length > 0 ? names : ['*']).map((name) => permission(alarms, 'DescribeAlarms', name));
    },
    run(input) {
      const matching = alarms.all.filter(
        ({ configuration, state }) =>
          (!input.AlarmNames?.length || input.AlarmNames.includes(configuration.name)) &&
          configuration.name.startsWith(input.AlarmNamePrefix ?? '') &&
          (input.StateValue === undefined || state.value === input.StateValue) &&
          (input.ActionPrefix === undefined ||
            Object.values(configuration.actions)
              .flat()
              .some((action) => action.startsWith(input.ActionPrefix ?? ''))),
      );
      const { items, NextToken } = page(matching, input.MaxRecords ?? 50, input.NextToken);
      return { MetricAlarms: items.map(describe), CompositeAlarms: [], NextToken };
    },
  });
}

function describe({ arn, configuration, configuredAt, state, actionsEnabled }: Alarm): MetricAlarm {
  const { statistic, unit } = configuration;
  return {
    AlarmName: configuration.name,
    AlarmArn: arn,
    AlarmDescription: configuration.description,
    AlarmConfigurationUpdatedTimestamp: new Date(configuredAt),
    ActionsEnabled: actionsEnabled,
    OKActions: [...configuration.actions.OK],
    AlarmActions: [...configuration.actions.ALARM],
    InsufficientDataActions: [...configuration.actions.INSUFFICIENT_DATA],
    StateValue: state.value,
    StateReason: state.reason,
    StateUpdatedTimestamp: new Date(state.updatedAt),
    StateTransitionedTimestamp: new Date(state.updatedAt),
    MetricName: configuration.metric.metricName,
    Namespace: configuration.metric.namespace,
    // The operation that made the alarm has checked both names.
    ...(isPercentile(statistic)
      ? { ExtendedStatistic: statistic }
      : { Statistic: statistic as NonNullable<MetricAlarm['Statistic']> }),
    Dimensions: toDimensions(configuration.metric.dimensions),
    Period: configuration.periodMs / 1000,
    Unit: unit as MetricAlarm['Unit'],
    EvaluationPeriods: configuration.evaluationPeriods,
    DatapointsToAlarm: configuration.datapointsToAlarm,
    Threshold: configuration.threshold,
    ComparisonOperator: configuration.comparison,
    TreatMissingData: configuration.treatMissingData,
  };
}

/** SetAlarmState: for tests of an alarm's actions; the next evaluation sets the true state again. */
export function setAlarmState(alarms: Alarms): AnyOperation {
  return operation<SetAlarmStateCommandInput, Record<string, never>>({
    permissions: (input) => [permission(alarms, 'SetAlarmState', String(input.AlarmName))],
    run(input) {
      const alarm = alarms.find(input.AlarmName);
      if (!alarm) throw new AwsError('ResourceNotFound', `There is no alarm ${input.AlarmName}.`, 404);
      const { StateValue } = input;
      if (StateValue !== 'OK' && StateValue !== 'ALARM' && StateValue !== 'INSUFFICIENT_DATA') {
        throw invalidValue(`StateValue is ${StateValue}; it is OK, ALARM or INSUFFICIENT_DATA.`);
      }
      alarm.setState(StateValue, input.StateReason ?? '');
      return {};
    },
  });
}

/** DeleteAlarms: if one of the names is unknown, none is deleted. */
export function deleteAlarms(alarms: Alarms): AnyOperation {
  return operation<DeleteAlarmsCommandInput, Record<string, never>>({
    permissions: (input) => (input.AlarmNames ?? []).map((name) => permission(alarms, 'DeleteAlarms', name)),
    run(input) {
      const found = (input.AlarmNames ?? []).map((name) => {
        const alarm = alarms.find(name);
        if (!alarm) throw new AwsError('ResourceNotFound', `There is no alarm ${name}.`, 404);
        return alarm;
      });
      for (const alarm of found) alarms.delete(alarm);
      return {};
    },
  });
}

/** EnableAlarmActions and DisableAlarmActions. */
export function switchAlarmActions(alarms: Alarms, action: string, enabled: boolean): AnyOperation {
  return operation<EnableAlarmActionsCommandInput, Record<string, never>>({
    permissions: (input) => (input.AlarmNames ?? []).map((name) => permission(alarms, action, name)),
    run(input) {
      for (const name of input.AlarmNames ?? []) {
        const alarm = alarms.find(name);
        if (alarm) alarm.actionsEnabled = enabled;
      }
      return {};
    },
  });
}
