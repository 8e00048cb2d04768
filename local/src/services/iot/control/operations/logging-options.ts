import type { GetV2LoggingOptionsResponse, SetV2LoggingOptionsCommandInput } from '@aws-sdk/client-iot';
import { passRolePermission } from '../../../../iam/pass-role.ts';
import { operation } from '../../../../kernel/define.ts';
import { AwsError } from '../../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../../kernel/kept-state.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { type ControlPlane, onAll } from '../control-plane.ts';

/** The logging options of the account, when they were set. */
export class LoggingOptions {
  value: GetV2LoggingOptionsResponse | undefined;

  *save(): Generator<KeptRecord> {
    if (this.value) yield ['loggingOptions', this.value];
  }

  restore(records: KeptRecords): void {
    this.value = records.get('loggingOptions');
  }
}

/** The account's logging options. They are kept and given back; the runtime writes AWS IoT's logs to its own log only. */
export function loggingOptionOperations({ logging }: ControlPlane): Readonly<Record<string, AnyOperation>> {
  return {
    SetV2LoggingOptions: operation<SetV2LoggingOptionsCommandInput, object>({
      permissions: ({ roleArn }) => [
        ...onAll('SetV2LoggingOptions'),
        ...(roleArn === undefined ? [] : [passRolePermission(roleArn, 'iot.amazonaws.com')]),
      ],
      run({ roleArn, defaultLogLevel, disableAllLogs, eventConfigurations }) {
        logging.value = { roleArn, defaultLogLevel, disableAllLogs: disableAllLogs === true, eventConfigurations };
        return {};
      },
    }),
    GetV2LoggingOptions: operation<unknown, GetV2LoggingOptionsResponse>({
      permissions: () => onAll('GetV2LoggingOptions'),
      run() {
        if (!logging.value)
          throw new AwsError('NotConfiguredException', 'There are no logging options in this account', 404);
        return logging.value;
      },
    }),
  };
}
