import { randomUUID } from 'node:crypto';
import type { AnyOperation } from '../../../kernel/service.ts';
import { internalOperation } from '../../internal-operation.ts';
import type { Rules } from '../rules.ts';

/** An event of an AWS service, for instance of S3. */
export interface ServiceEvent {
  /** `aws.s3` */
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** PublishServiceEvent: puts an event with a source that only AWS may use on the default bus. */
export function publishServiceEvent(rules: Rules): AnyOperation {
  return internalOperation<ServiceEvent, object>('events', 'PublishServiceEvent', (event) => {
    const { kernel } = rules;
    rules.publish({
      version: '0',
      id: randomUUID(),
      'detail-type': event.detailType,
      source: event.source,
      account: kernel.accountId,
      time: new Date(kernel.clock.now()).toISOString().replace(/\.\d+/, ''),
      region: kernel.region,
      resources: event.resources,
      detail: event.detail,
    });
    return {};
  });
}
