import type { ResourceHandler } from '../../template/resource-handler.ts';

/** What CloudFormation creates in CloudWatch Logs. */
export const logsResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::Logs::LogGroup',
    properties: {
      KmsKeyId: 'declared',
      LogGroupClass: 'declared',
      LogGroupName: 'executed',
      RetentionInDays: 'executed',
      Tags: 'declared',
    },
    async create({ kernel, caller, generatedName, properties }) {
      const logGroupName = String(properties.LogGroupName ?? generatedName);
      await kernel.call('logs', 'CreateLogGroup', { logGroupName }, caller);
      if (properties.RetentionInDays !== undefined) {
        const retentionInDays = Number(properties.RetentionInDays);
        await kernel.call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays }, caller);
      }
      return { ref: logGroupName, attributes: { Arn: `${kernel.arn('logs', `log-group:${logGroupName}`)}:*` } };
    },
    update: {
      properties: ['KmsKeyId', 'LogGroupClass', 'RetentionInDays', 'Tags'],
      async by({ kernel, caller, properties }, before) {
        const logGroupName = before.ref;
        const retentionInDays = Number(properties.RetentionInDays);
        if (properties.RetentionInDays === undefined) {
          await kernel.call('logs', 'DeleteRetentionPolicy', { logGroupName }, caller);
        } else {
          await kernel.call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays }, caller);
        }
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: logGroupName }) =>
      kernel.call('logs', 'DeleteLogGroup', { logGroupName }, caller),
  },
];
