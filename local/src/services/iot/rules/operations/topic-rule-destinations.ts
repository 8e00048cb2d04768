import type {
  ConfirmTopicRuleDestinationRequest,
  CreateTopicRuleDestinationRequest,
  CreateTopicRuleDestinationResponse,
  DeleteTopicRuleDestinationRequest,
  GetTopicRuleDestinationRequest,
  GetTopicRuleDestinationResponse,
  ListTopicRuleDestinationsRequest,
  ListTopicRuleDestinationsResponse,
  UpdateTopicRuleDestinationRequest,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import { notEmulated } from '../../../../kernel/errors.ts';
import type { Kernel } from '../../../../kernel/kernel.ts';
import type { AnyOperation, Permission } from '../../../../kernel/service.ts';
import { invalidRequest } from '../../control/errors.ts';
import { byCreation, page } from '../../control/page.ts';
import type { Destination, Destinations } from '../destinations.ts';

/** Administration of destinations (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRuleDestination.html). */
export function topicRuleDestinationOperations(
  kernel: Kernel,
  destinations: Destinations,
): Readonly<Record<string, AnyOperation>> {
  const on = (action: string, arn: string | undefined): readonly Permission[] => [
    { action: `iot:${action}`, resource: arn ?? '*' },
  ];
  return {
    CreateTopicRuleDestination: operation<CreateTopicRuleDestinationRequest, CreateTopicRuleDestinationResponse>({
      permissions: () => on('CreateTopicRuleDestination', kernel.arn('iot', 'ruledestination/http/*')),
      run({ destinationConfiguration }) {
        const { httpUrlConfiguration, ...others } = destinationConfiguration ?? {};
        const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
        if (other) throw notEmulated('iot', `topic rule destinations with ${other}`);
        if (!httpUrlConfiguration) throw invalidRequest('destinationConfiguration.httpUrlConfiguration is required');
        return { topicRuleDestination: describe(destinations.create(httpUrlConfiguration.confirmationUrl)) };
      },
    }),
    GetTopicRuleDestination: operation<GetTopicRuleDestinationRequest, GetTopicRuleDestinationResponse>({
      permissions: ({ arn }) => on('GetTopicRuleDestination', arn),
      run: ({ arn }) => ({ topicRuleDestination: describe(destinations.get(arn)) }),
    }),
    ListTopicRuleDestinations: operation<ListTopicRuleDestinationsRequest, ListTopicRuleDestinationsResponse>({
      permissions: () => on('ListTopicRuleDestinations', '*'),
      run({ maxResults, nextToken }) {
        const keyOf = ({ createdAt, arn }: Destination) => byCreation(createdAt, arn);
        const { items, next } = page(destinations.all, keyOf, { size: maxResults, token: nextToken });
        const destinationSummaries = items.map((each) => {
          const { httpUrlProperties, ...summary } = describe(each);
          return { ...summary, httpUrlSummary: httpUrlProperties };
        });
        return { destinationSummaries, nextToken: next };
      },
    }),
    UpdateTopicRuleDestination: operation<UpdateTopicRuleDestinationRequest, object>({
      permissions: ({ arn }) => on('UpdateTopicRuleDestination', arn),
      run({ arn, status }) {
        destinations.setStatus(arn, status);
        return {};
      },
    }),
    DeleteTopicRuleDestination: operation<DeleteTopicRuleDestinationRequest, object>({
      permissions: ({ arn }) => on('DeleteTopicRuleDestination', arn),
      run({ arn }) {
        destinations.delete(arn);
        return {};
      },
    }),
    ConfirmTopicRuleDestination: operation<ConfirmTopicRuleDestinationRequest, object>({
      permissions: () => on('ConfirmTopicRuleDestination', '*'),
      run({ confirmationToken }) {
        destinations.confirm(confirmationToken);
        return {};
      },
    }),
  };
}

function describe({ arn, status, statusReason, createdAt, updatedAt, confirmationUrl }: Destination) {
  return {
    arn,
    status,
    statusReason,
    createdAt: new Date(createdAt),
    lastUpdatedAt: new Date(updatedAt),
    httpUrlProperties: { confirmationUrl },
  };
}
