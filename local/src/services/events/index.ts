import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { publishServiceEvent } from './operations/publish-service-event.ts';
import { putEvents } from './operations/put-events.ts';
import { deleteRule, describeRule, listRules, putRule, switchRule } from './operations/rules.ts';
import { listTargetsByRule, putTargets, removeTargets } from './operations/targets.ts';
import { Rules } from './rules.ts';

/** Amazon EventBridge: the default bus, with rules on events and schedules. */
export function createEventsService(kernel: Kernel): Service {
  const rules = new Rules(kernel);
  return {
    name: 'events',
    signingNames: ['events'],
    protocols: [
      jsonProtocol({
        version: '1.1',
        targetPrefix: 'AWSEvents',
        inputTypes: { PutEvents: { 'Entries.Time': 'timestamp' } },
      }),
    ],
    operations: {
      DeleteRule: deleteRule(rules),
      DescribeRule: describeRule(rules),
      DisableRule: switchRule(rules, 'DisableRule', false),
      EnableRule: switchRule(rules, 'EnableRule', true),
      ListRules: listRules(rules),
      ListTargetsByRule: listTargetsByRule(rules),
      PublishServiceEvent: publishServiceEvent(rules),
      PutEvents: putEvents(rules),
      PutRule: putRule(rules),
      PutTargets: putTargets(rules),
      RemoveTargets: removeTargets(rules),
    },
    state: rules,
  };
}
