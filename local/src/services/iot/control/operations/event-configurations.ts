import type { DescribeEventConfigurationsResponse, UpdateEventConfigurationsCommandInput } from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { type ControlPlane, onAll } from '../control-plane.ts';
import { invalidRequest } from '../errors.ts';

/** Which events are published: https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateEventConfigurations.html */
export function eventConfigurationOperations({
  kernel,
  eventConfigurations,
}: ControlPlane): Readonly<Record<string, AnyOperation>> {
  return {
    DescribeEventConfigurations: operation<unknown, DescribeEventConfigurationsResponse>({
      permissions: () => onAll('DescribeEventConfigurations'),
      run() {
        const { all, times } = eventConfigurations;
        const shown = Object.entries(all).map(([type, Enabled]) => [type, { Enabled }]);
        return {
          eventConfigurations: Object.fromEntries(shown),
          ...(times && { creationDate: new Date(times.createdAt), lastModifiedDate: new Date(times.changedAt) }),
        };
      },
    }),
    UpdateEventConfigurations: operation<UpdateEventConfigurationsCommandInput, object>({
      permissions: () => onAll('UpdateEventConfigurations'),
      run({ eventConfigurations: given = {} }) {
        const wanted = Object.entries(given).map(([type, configuration]) => {
          // The member begins with a capital letter, as AWS has it.
          const { Enabled = false } = configuration ?? {};
          if (typeof Enabled !== 'boolean') throw invalidRequest(`${type}.Enabled has to be true or false`);
          return [type, Enabled] as const;
        });
        eventConfigurations.update(Object.fromEntries(wanted), kernel.clock.now());
        return {};
      },
    }),
  };
}
