import type { UpdateDestinationCommandInput } from '@aws-sdk/client-firehose';
import { passRolePermission } from '../../../iam/pass-role.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { DeliveryStreams } from '../delivery-streams.ts';
import { checkDestination } from '../destination.ts';

const NAMES = ['CurrentDeliveryStreamVersionId', 'DeliveryStreamName', 'DestinationId', 'ExtendedS3DestinationUpdate'];

/**
 * UpdateDestination: members that are not given stay as they are. What is buffered goes out as it was meant to.
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_UpdateDestination.html
 */
export function updateDestination(streams: DeliveryStreams): AnyOperation {
  return operation<UpdateDestinationCommandInput, object>({
    permissions: ({ DeliveryStreamName, ExtendedS3DestinationUpdate: update }) => [
      streams.permission('UpdateDestination', DeliveryStreamName),
      ...(update?.RoleARN === undefined ? [] : [passRolePermission(update.RoleARN, 'firehose.amazonaws.com')]),
    ],
    run(input) {
      const other = Object.keys(input).find((name) => !NAMES.includes(name));
      if (other !== undefined) {
        throw new AwsError('NotEmulated', `The local runtime does not emulate ${other} of UpdateDestination.`, 501);
      }
      const stream = streams.get(input.DeliveryStreamName);
      if (input.CurrentDeliveryStreamVersionId !== stream.version) {
        throw new AwsError(
          'ConcurrentModificationException',
          `CurrentDeliveryStreamVersionId is ${input.CurrentDeliveryStreamVersionId}; the stream has version ${stream.version}.`,
        );
      }
      if (input.ExtendedS3DestinationUpdate === undefined) {
        throw invalid('ExtendedS3DestinationUpdate is required', 'InvalidArgumentException');
      }
      stream.changeDestination(checkDestination({ ...stream.destination.given, ...input.ExtendedS3DestinationUpdate }));
      return {};
    },
  });
}
