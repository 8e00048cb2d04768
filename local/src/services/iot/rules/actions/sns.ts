import type { ActionKind } from './rule-action.ts';

/** Publishes to a standard topic or a device (https://docs.aws.amazon.com/iot/latest/developerguide/sns-rule-action.html). */
export const snsAction: ActionKind = {
  failedAction: 'SnsAction',
  actionType: 'SNS',
  failure: 'Failed to publish SNS message',
  compile(parameters) {
    const isJson = parameters.word('messageFormat', ['RAW', 'JSON']) === 'JSON';
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('targetArn'),
      run({ payload, call }, targetArn) {
        const input = { TargetArn: targetArn, Message: payload.text, ...(isJson && { MessageStructure: 'json' }) };
        return call('sns', 'Publish', input);
      },
    };
  },
};
