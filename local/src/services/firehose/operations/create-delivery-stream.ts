import type { CreateDeliveryStreamCommandInput, CreateDeliveryStreamCommandOutput } from '@aws-sdk/client-firehose';
import { passRolePermission } from '../../../iam/pass-role.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { DeliveryStream } from '../delivery-stream.ts';
import type { DeliveryStreams } from '../delivery-streams.ts';
import { checkDestination } from '../destination.ts';

/** Members that do not ask for a source or destination which is missing here. */
const KNOWN: ReadonlySet<string> = new Set([
  'DeliveryStreamEncryptionConfigurationInput',
  'DeliveryStreamName',
  'DeliveryStreamType',
  'ExtendedS3DestinationConfiguration',
  'Tags',
]);

function refuse(input: CreateDeliveryStreamCommandInput): void {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const unknown = given.map(([name]) => name).find((name) => !KNOWN.has(name));
  const type = input.DeliveryStreamType ?? 'DirectPut';
  const what = unknown ?? (type === 'DirectPut' ? undefined : `DeliveryStreamType ${type}`);
  if (what === undefined) return;
  throw new AwsError(
    'NotEmulated',
    `The local runtime does not emulate ${what} of firehose:CreateDeliveryStream.`,
    501,
  );
}

/** CreateDeliveryStream, for direct puts with S3 as the destination. It is ACTIVE at once. */
export function createDeliveryStream(streams: DeliveryStreams): AnyOperation {
  const { kernel } = streams;
  return operation<CreateDeliveryStreamCommandInput, Omit<CreateDeliveryStreamCommandOutput, '$metadata'>>({
    permissions: (input) => [
      streams.permission('CreateDeliveryStream', input.DeliveryStreamName),
      passRolePermission(input.ExtendedS3DestinationConfiguration?.RoleARN ?? '', 'firehose.amazonaws.com'),
    ],
    run(input) {
      refuse(input);
      const name = streams.checkName(input.DeliveryStreamName);
      streams.checkFree(name);
      if (input.ExtendedS3DestinationConfiguration === undefined) {
        throw invalid('Exactly one destination configuration is required', 'InvalidArgumentException');
      }
      const destination = checkDestination(input.ExtendedS3DestinationConfiguration);
      const arn = streams.arn(name);
      try {
        kernel.iam.assumeRole(destination.roleArn, kernel.serviceCaller('firehose.amazonaws.com', arn), name);
      } catch {
        throw invalid(
          `Firehose is unable to assume role ${destination.roleArn}. Please check the role provided.`,
          'InvalidArgumentException',
        );
      }
      const encryption = input.DeliveryStreamEncryptionConfigurationInput;
      const stream = new DeliveryStream(
        kernel,
        name,
        arn,
        destination,
        encryption === undefined ? { Status: 'DISABLED' } : { ...encryption, Status: 'ENABLED' },
      );
      for (const { Key, Value } of input.Tags ?? []) if (Key !== undefined) stream.tags.set(Key, Value ?? '');
      streams.add(stream);
      return { DeliveryStreamARN: arn };
    },
  });
}
