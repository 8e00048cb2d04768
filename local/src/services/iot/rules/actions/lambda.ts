import type { ActionKind } from './rule-action.ts';
import { ActionFailure } from './rule-action.ts';

/**
 * Invokes a function asynchronously; the function's own policy has to allow `iot.amazonaws.com` for this rule
 * (https://docs.aws.amazon.com/iot/latest/developerguide/lambda-rule-action.html).
 */
export const lambdaAction: ActionKind = {
  failedAction: 'LambdaAction',
  actionType: 'Lambda',
  failure: 'Failed to invoke Lambda function',
  compile(parameters) {
    return {
      roleArn: undefined,
      resource: parameters.template('functionArn'),
      run({ payload, call }, functionArn) {
        if (payload.isBinary) throw new ActionFailure('the payload is not JSON; encode it in the SQL statement');
        return call('lambda', 'Invoke', {
          FunctionName: functionArn,
          InvocationType: 'Event',
          Payload: payload.bytes,
        });
      },
    };
  },
};
