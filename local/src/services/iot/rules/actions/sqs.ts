import type { ActionKind } from './rule-action.ts';

/** Sends a message to a standard queue (https://docs.aws.amazon.com/iot/latest/developerguide/sqs-rule-action.html). */
export const sqsAction: ActionKind = {
  failedAction: 'SqsAction',
  actionType: 'SQS',
  failure: 'Failed to send SQS message',
  compile(parameters) {
    const useBase64 = parameters.boolean('useBase64');
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('queueUrl'),
      run({ payload, call }, queueUrl) {
        const body = useBase64 ? payload.bytes.toString('base64') : payload.text;
        return call('sqs', 'SendMessage', { QueueUrl: queueUrl, MessageBody: body });
      },
    };
  },
};
