import type { ResourceHandler } from '../../template/resource-handler.ts';

/** What CloudFormation creates in EventBridge. */
export const eventsResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::Events::Rule',
    properties: {
      Description: 'executed',
      EventBusName: 'executed',
      EventPattern: 'executed',
      Name: 'executed',
      ScheduleExpression: 'executed',
      State: 'executed',
      Tags: 'declared',
      Targets: [
        {
          Arn: 'executed',
          DeadLetterConfig: { Arn: 'executed' },
          Id: 'executed',
          Input: 'executed',
          InputPath: 'executed',
          RetryPolicy: { MaximumEventAgeInSeconds: 'declared', MaximumRetryAttempts: 'declared' },
        },
      ],
    },
    async create({ kernel, caller, generatedName, properties }) {
      const { Targets, Tags, EventPattern, ...given } = properties;
      const Name = String(properties.Name ?? generatedName.slice(-64));
      const pattern = EventPattern === undefined ? undefined : JSON.stringify(EventPattern);
      const input = { ...given, Name, EventPattern: pattern };
      const { RuleArn } = await kernel.call<{ RuleArn: string }>('events', 'PutRule', input, caller);
      if (Array.isArray(Targets) && Targets.length > 0) {
        await kernel.call('events', 'PutTargets', { Rule: Name, Targets }, caller);
      }
      return { ref: Name, attributes: { Arn: RuleArn } };
    },
    update: { properties: 'all', by: 'replace' },
    async delete({ kernel, caller, properties }, { ref: Rule }) {
      const Ids = [properties.Targets ?? []].flat().map((each) => String(Object(each).Id));
      if (Ids.length > 0) await kernel.call('events', 'RemoveTargets', { Rule, Ids }, caller);
      await kernel.call('events', 'DeleteRule', { Name: Rule }, caller);
    },
  },
];
