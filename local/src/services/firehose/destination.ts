/** The S3 destination of a delivery stream, checked and with the defaults of the API. */
import type {
  CloudWatchLoggingOptions,
  EncryptionConfiguration,
  ExtendedS3DestinationConfiguration,
  ProcessingConfiguration,
} from '@aws-sdk/client-firehose';
import { AwsError, invalid } from '../../kernel/errors.ts';
import { checkPrefixes, compilePrefix, type Prefix } from './object-key.ts';

export interface S3Destination {
  /** As it was asked for. */
  readonly given: ExtendedS3DestinationConfiguration;
  readonly roleArn: string;
  readonly bucketArn: string;
  readonly prefixText: string | undefined;
  readonly errorPrefixText: string | undefined;
  readonly prefix: Prefix;
  readonly intervalSeconds: number;
  readonly sizeMb: number;
  readonly compression: 'UNCOMPRESSED' | 'GZIP';
  readonly extension: string;
  /** What is put behind each record; empty for nothing. */
  readonly delimiter: string;
  readonly encryption: EncryptionConfiguration;
  readonly logging: CloudWatchLoggingOptions;
  readonly processing: ProcessingConfiguration;
}

const BUCKET_ARN = /^arn:aws:s3:::[a-z0-9.-]{3,63}$/;
const FILE_EXTENSION = /^(\.[0-9a-z!\-_.*'()]+)?$/;

function notSupported(what: string): AwsError {
  return new AwsError('NotEmulated', `The local runtime does not emulate ${what} of delivery streams.`, 501);
}

function invalidArgument(message: string): AwsError {
  return invalid(message, 'InvalidArgumentException');
}

function refuseWhatIsMissing(given: ExtendedS3DestinationConfiguration): void {
  if (given.DataFormatConversionConfiguration?.Enabled) throw notSupported('DataFormatConversionConfiguration');
  if (given.DynamicPartitioningConfiguration?.Enabled) throw notSupported('DynamicPartitioningConfiguration');
  if (given.S3BackupMode === 'Enabled') throw notSupported('S3BackupMode');
  if (given.CustomTimeZone !== undefined && given.CustomTimeZone !== 'UTC') throw notSupported('CustomTimeZone');
}

function delimiterOf(processing: ProcessingConfiguration | undefined): string {
  if (!processing?.Enabled) return '';
  const [processor, ...others] = processing.Processors ?? [];
  if (processor === undefined) return '';
  const other = [processor, ...others].find(({ Type }) => Type !== 'AppendDelimiterToRecord');
  if (other !== undefined) throw notSupported(`the processor ${other.Type}`);
  const text = processor.Parameters?.find(({ ParameterName }) => ParameterName === 'Delimiter')?.ParameterValue;
  // The delimiter is written with the escapes of a string: `\n` in two characters.
  return (text ?? '\\n').replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\t', '\t');
}

function within(value: number, low: number, high: number, name: string): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw invalidArgument(`${name} must be between ${low} and ${high}, got ${value}`);
}

function compressionOf(format: string | undefined): S3Destination['compression'] {
  if (format === undefined || format === 'UNCOMPRESSED') return 'UNCOMPRESSED';
  if (format === 'GZIP') return format;
  throw notSupported(`CompressionFormat ${format}`);
}

/** @throws AwsError InvalidArgumentException for a wrong value, NotEmulated for a feature that is missing here */
export function checkDestination(given: ExtendedS3DestinationConfiguration): S3Destination {
  refuseWhatIsMissing(given);
  const { RoleARN, BucketARN, Prefix, ErrorOutputPrefix, BufferingHints, FileExtension = '' } = given;
  if (!RoleARN?.startsWith('arn:')) throw invalidArgument(`RoleARN must be the ARN of a role, got ${RoleARN}`);
  if (!BUCKET_ARN.test(BucketARN ?? ''))
    throw invalidArgument(`BucketARN must be the ARN of a bucket, got ${BucketARN}`);
  if (!FILE_EXTENSION.test(FileExtension)) throw invalidArgument(`FileExtension is not valid: ${FileExtension}`);
  checkPrefixes(Prefix ?? '', ErrorOutputPrefix);
  const compression = compressionOf(given.CompressionFormat);
  return {
    given,
    roleArn: RoleARN,
    bucketArn: BucketARN ?? '',
    prefixText: Prefix,
    errorPrefixText: ErrorOutputPrefix,
    prefix: compilePrefix(Prefix ?? ''),
    intervalSeconds: within(BufferingHints?.IntervalInSeconds ?? 300, 0, 900, 'IntervalInSeconds'),
    sizeMb: within(BufferingHints?.SizeInMBs ?? 5, 1, 128, 'SizeInMBs'),
    compression,
    extension: FileExtension || (compression === 'GZIP' ? '.gz' : ''),
    delimiter: delimiterOf(given.ProcessingConfiguration),
    encryption: given.EncryptionConfiguration ?? { NoEncryptionConfig: 'NoEncryption' },
    logging: given.CloudWatchLoggingOptions ?? { Enabled: false },
    processing: given.ProcessingConfiguration ?? { Enabled: false, Processors: [] },
  };
}
