import type { GetV2LoggingOptionsResponse, SetV2LoggingOptionsCommandInput } from '@aws-sdk/client-iot';
import { passRolePermission } from '../../../../iam/pass-role.ts';
import { operation } from '../../../../kernel/define.ts';
import { AwsError } from '../../../../kernel/errors.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { onAll } from '../control-plane.ts';

/** The account's logging options. They are kept and given back; the runtime writes AWS IoT's logs to its own log only. */
export function loggingOptionOperations(): Readonly<Record<string, AnyOperation>> {
  let options: GetV2LoggingOptionsResponse | undefined;
  return {
    SetV2LoggingOptions: operation<SetV2LoggingOptionsCommandInput, object>({
      permissions: ({ roleArn }) => [
        ...onAll('SetV2LoggingOptions'),
        ...(roleArn === undefined ? [] : [passRolePermission(roleArn, 'iot.amazonaws.com')]),
      ],
      run({ roleArn, defaultLogLevel, disableAllLogs, eventConfigurations }) {
        options = { roleArn, defaultLogLevel, disableAllLogs: disableAllLogs === true, eventConfigurations };
        return {};
      },
    }),
    GetV2LoggingOptions: operation<unknown, GetV2LoggingOptionsResponse>({
      permissions: () => onAll('GetV2LoggingOptions'),
      run() {
        if (!options) throw new AwsError('NotConfiguredException', 'There are no logging options in this account', 404);
        return options;
      },
    }),
  };
}
