import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnLogging } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { allow } from './allow.ts';
import type { PlatformConfig } from './platform-config.ts';

export interface IotLogsProps {
  readonly level: Exclude<PlatformConfig['iotLogLevel'], 'UNCHANGED'>;
}

/**
 * Lets AWS IoT write its own log: the only place that says which message a rule's SQL failed on, since that reaches no error
 * action. There is one such setting per account and region:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iot-logging.html
 */
export class IotLogs extends Construct {
  constructor(scope: Construct, id: string, { level }: IotLogsProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('iot.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      }),
    });
    // AWS IoT names the group, and makes it and its streams itself.
    const group = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: 'AWSIotLogsV2:*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    allow(
      role,
      [
        'logs:CreateLogGroup',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'logs:PutMetricFilter',
        'logs:PutRetentionPolicy',
      ],
      group,
    );
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:AWSIotLogsV2:*]',
      'AWS IoT names the streams of its log group; the group itself is named.',
    );
    const logging = new CfnLogging(this, 'Logging', {
      accountId: Aws.ACCOUNT_ID,
      defaultLogLevel: level,
      roleArn: role.roleArn,
    });
    logging.node.addDependency(role);
  }
}
