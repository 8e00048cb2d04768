import type { ActionKind } from './rule-action.ts';

/** Sets the state of an alarm (https://docs.aws.amazon.com/iot/latest/developerguide/cloudwatch-alarms-rule-action.html). */
export const cloudwatchAlarmAction: ActionKind = {
  failedAction: 'CloudwatchAlarmAction',
  actionType: 'CloudwatchAlarm',
  failure: 'Failed to set CloudWatch alarm',
  compile(parameters) {
    const reason = parameters.template('stateReason');
    const state = parameters.template('stateValue');
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('alarmName'),
      async run(invocation, alarmName) {
        const input = {
          AlarmName: alarmName,
          StateReason: await reason(invocation),
          StateValue: await state(invocation),
        };
        return invocation.call('cloudwatch', 'SetAlarmState', input);
      },
    };
  },
};
