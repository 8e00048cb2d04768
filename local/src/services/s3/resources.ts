/** AWS::S3::Bucket and AWS::S3::BucketPolicy. */
import { AwsError } from '../../kernel/errors.ts';
import type {
  ExistingResource,
  PropertySpec,
  ResourceHandler,
  ResourceRequest,
} from '../../template/resource-handler.ts';

type Members = Readonly<Record<string, unknown>>;

const lifecycleRule: PropertySpec = {
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: 'executed' },
  ExpirationDate: 'executed',
  ExpirationInDays: 'executed',
  ExpiredObjectDeleteMarker: 'executed',
  Id: 'executed',
  NoncurrentVersionExpiration: { NewerNoncurrentVersions: 'executed', NoncurrentDays: 'executed' },
  NoncurrentVersionExpirationInDays: 'executed',
  NoncurrentVersionTransitions: 'declared',
  ObjectSizeGreaterThan: 'executed',
  ObjectSizeLessThan: 'executed',
  Prefix: 'executed',
  Status: 'executed',
  TagFilters: [{ Key: 'executed', Value: 'executed' }],
  Transitions: 'declared',
};

const keyFilter: PropertySpec = { S3Key: { Rules: [{ Name: 'executed', Value: 'executed' }] } };

interface LifecycleRuleProperties {
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number | string };
  readonly ExpirationDate?: string;
  readonly ExpirationInDays?: number | string;
  readonly ExpiredObjectDeleteMarker?: boolean;
  readonly Id?: string;
  readonly NoncurrentVersionExpiration?: {
    NoncurrentDays?: number | string;
    NewerNoncurrentVersions?: number | string;
  };
  readonly NoncurrentVersionExpirationInDays?: number | string;
  readonly ObjectSizeGreaterThan?: number | string;
  readonly ObjectSizeLessThan?: number | string;
  readonly Prefix?: string;
  readonly Status?: string;
  readonly TagFilters?: readonly Members[];
}

/** Templates may give numbers as text. */
function number(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** A rule of a template in the shape of the API. */
function lifecycleRuleOf(rule: LifecycleRuleProperties): Members {
  const noncurrent = rule.NoncurrentVersionExpiration ?? { NoncurrentDays: rule.NoncurrentVersionExpirationInDays };
  const Expiration = {
    ...(rule.ExpirationInDays !== undefined && { Days: number(rule.ExpirationInDays) }),
    ...(rule.ExpirationDate !== undefined && { Date: new Date(rule.ExpirationDate) }),
    ...(rule.ExpiredObjectDeleteMarker !== undefined && { ExpiredObjectDeleteMarker: rule.ExpiredObjectDeleteMarker }),
  };
  return {
    ID: rule.Id,
    Status: rule.Status,
    Filter: {
      And: {
        Prefix: rule.Prefix ?? '',
        Tags: rule.TagFilters ?? [],
        ObjectSizeGreaterThan: number(rule.ObjectSizeGreaterThan),
        ObjectSizeLessThan: number(rule.ObjectSizeLessThan),
      },
    },
    ...(rule.AbortIncompleteMultipartUpload && {
      AbortIncompleteMultipartUpload: {
        DaysAfterInitiation: number(rule.AbortIncompleteMultipartUpload.DaysAfterInitiation),
      },
    }),
    ...(Object.keys(Expiration).length > 0 && { Expiration }),
    ...(noncurrent.NoncurrentDays !== undefined && {
      NoncurrentVersionExpiration: {
        NoncurrentDays: number(noncurrent.NoncurrentDays),
        NewerNoncurrentVersions: number(
          'NewerNoncurrentVersions' in noncurrent ? noncurrent.NewerNoncurrentVersions : undefined,
        ),
      },
    }),
  };
}

interface NotificationRule extends Members {
  readonly Event?: string;
  readonly Filter?: { readonly S3Key?: { readonly Rules?: readonly Members[] } };
}

interface NotificationProperties {
  readonly EventBridgeConfiguration?: Members;
  readonly LambdaConfigurations?: readonly NotificationRule[];
  readonly QueueConfigurations?: readonly NotificationRule[];
  readonly TopicConfigurations?: readonly NotificationRule[];
}

/** A notification configuration of a template in the shape of the API. */
function notificationConfigurationOf(given: NotificationProperties): Members {
  const rules = (list: readonly NotificationRule[] | undefined, short: string, arn: string) =>
    list?.map(({ Event, Filter, [short]: destination }) => ({
      [arn]: destination,
      Events: [Event],
      ...(Filter?.S3Key && { Filter: { Key: { FilterRules: Filter.S3Key.Rules ?? [] } } }),
    }));
  const bridge = given.EventBridgeConfiguration;
  const isBridged = bridge !== undefined && String(bridge.EventBridgeEnabled ?? true) === 'true';
  return {
    LambdaFunctionConfigurations: rules(given.LambdaConfigurations, 'Function', 'LambdaFunctionArn') ?? [],
    QueueConfigurations: rules(given.QueueConfigurations, 'Queue', 'QueueArn') ?? [],
    TopicConfigurations: rules(given.TopicConfigurations, 'Topic', 'TopicArn') ?? [],
    ...(isBridged && { EventBridgeConfiguration: {} }),
  };
}

interface CorsRuleProperties extends Members {
  readonly ExposedHeaders?: readonly string[];
  readonly Id?: string;
  readonly MaxAge?: number | string;
}

/** A CORS rule of a template in the shape of the API. */
function corsRuleOf({ ExposedHeaders, Id, MaxAge, ...rest }: CorsRuleProperties): Members {
  return { ...rest, ID: Id, ExposeHeaders: ExposedHeaders, MaxAgeSeconds: number(MaxAge) };
}

interface BucketProperties {
  readonly AccessControl?: string;
  readonly BucketEncryption?: { readonly ServerSideEncryptionConfiguration?: readonly Members[] };
  readonly BucketName?: string;
  readonly CorsConfiguration?: { readonly CorsRules?: readonly CorsRuleProperties[] };
  readonly LifecycleConfiguration?: { readonly Rules?: readonly LifecycleRuleProperties[] };
  readonly LoggingConfiguration?: { readonly DestinationBucketName?: string; readonly LogFilePrefix?: string };
  readonly NotificationConfiguration?: NotificationProperties;
  readonly OwnershipControls?: Members;
  readonly PublicAccessBlockConfiguration?: Members;
  readonly Tags?: readonly Members[];
  readonly VersioningConfiguration?: { readonly Status?: string };
}

/** The calls that give a new bucket what its template declares: operation and input, without the bucket. */
function settings(properties: BucketProperties): readonly (readonly [operation: string, input: Members])[] {
  const calls: [string, Members][] = [];
  const { BucketEncryption, LifecycleConfiguration, LoggingConfiguration, OwnershipControls } = properties;
  const { PublicAccessBlockConfiguration, Tags, VersioningConfiguration } = properties;
  if (PublicAccessBlockConfiguration) calls.push(['PutPublicAccessBlock', { PublicAccessBlockConfiguration }]);
  if (OwnershipControls) calls.push(['PutBucketOwnershipControls', { OwnershipControls }]);
  if (BucketEncryption?.ServerSideEncryptionConfiguration) {
    const Rules = BucketEncryption.ServerSideEncryptionConfiguration.map(
      ({ ServerSideEncryptionByDefault, ...rest }) => ({
        ...rest,
        ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault,
      }),
    );
    calls.push(['PutBucketEncryption', { ServerSideEncryptionConfiguration: { Rules } }]);
  }
  if (VersioningConfiguration) calls.push(['PutBucketVersioning', { VersioningConfiguration }]);
  if (LoggingConfiguration) {
    const { DestinationBucketName: TargetBucket, LogFilePrefix: TargetPrefix } = LoggingConfiguration;
    const BucketLoggingStatus = { LoggingEnabled: { TargetBucket, TargetPrefix: TargetPrefix ?? '' } };
    calls.push(['PutBucketLogging', { BucketLoggingStatus }]);
  }
  if (properties.CorsConfiguration?.CorsRules) {
    const CORSRules = properties.CorsConfiguration.CorsRules.map(corsRuleOf);
    calls.push(['PutBucketCors', { CORSConfiguration: { CORSRules } }]);
  }
  if (LifecycleConfiguration?.Rules) {
    const Rules = LifecycleConfiguration.Rules.map(lifecycleRuleOf);
    calls.push(['PutBucketLifecycleConfiguration', { LifecycleConfiguration: { Rules } }]);
  }
  if (properties.NotificationConfiguration) {
    const NotificationConfiguration = notificationConfigurationOf(properties.NotificationConfiguration);
    calls.push(['PutBucketNotificationConfiguration', { NotificationConfiguration }]);
  }
  if (Tags) calls.push(['PutBucketTagging', { Tagging: { TagSet: Tags } }]);
  return calls;
}

/** Bucket names are shorter than CloudFormation's other generated names, and lower case. */
function bucketNameOf({ generatedName }: ResourceRequest): string {
  const name = generatedName.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  return name.length <= 63 ? name : `${name.slice(0, 40)}-${name.slice(-22)}`;
}

/** ACLs that give nobody but the owner and S3's log delivery anything. */
const CLOSED_ACLS: ReadonlySet<string> = new Set(['Private', 'LogDeliveryWrite', 'BucketOwnerFullControl']);

const bucket: ResourceHandler = {
  type: 'AWS::S3::Bucket',
  properties: {
    AccessControl: 'declared',
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        {
          BucketKeyEnabled: 'executed',
          ServerSideEncryptionByDefault: { KMSMasterKeyID: 'executed', SSEAlgorithm: 'executed' },
        },
      ],
    },
    BucketName: 'executed',
    CorsConfiguration: {
      CorsRules: [
        {
          AllowedHeaders: 'executed',
          AllowedMethods: 'executed',
          AllowedOrigins: 'executed',
          ExposedHeaders: 'executed',
          Id: 'executed',
          MaxAge: 'executed',
        },
      ],
    },
    LifecycleConfiguration: { Rules: [lifecycleRule] },
    LoggingConfiguration: { DestinationBucketName: 'declared', LogFilePrefix: 'declared' },
    NotificationConfiguration: {
      EventBridgeConfiguration: { EventBridgeEnabled: 'executed' },
      LambdaConfigurations: [{ Event: 'executed', Filter: keyFilter, Function: 'executed' }],
      QueueConfigurations: [{ Event: 'executed', Filter: keyFilter, Queue: 'executed' }],
      TopicConfigurations: [{ Event: 'executed', Filter: keyFilter, Topic: 'executed' }],
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'executed' }] },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: 'declared',
      BlockPublicPolicy: 'executed',
      IgnorePublicAcls: 'declared',
      RestrictPublicBuckets: 'declared',
    },
    Tags: [{ Key: 'executed', Value: 'executed' }],
    VersioningConfiguration: { Status: 'executed' },
  },
  async create(request) {
    const { kernel, caller } = request;
    // The loader has checked the names of the properties; the operations check their values.
    const properties = request.properties as BucketProperties;
    const { AccessControl } = properties;
    if (AccessControl !== undefined && !CLOSED_ACLS.has(AccessControl)) {
      throw new AwsError('NotEmulated', `The local runtime does not emulate AccessControl ${AccessControl}.`, 501);
    }
    const Bucket = properties.BucketName ?? bucketNameOf(request);
    const isFirstRegion = kernel.region === 'us-east-1';
    const location = isFirstRegion ? {} : { CreateBucketConfiguration: { LocationConstraint: kernel.region } };
    await kernel.call('s3', 'CreateBucket', { Bucket, ...location }, caller);
    for (const [operation, input] of settings(properties)) {
      await kernel.call('s3', operation, { ...input, Bucket }, caller);
    }
    return {
      ref: Bucket,
      attributes: {
        Arn: `arn:aws:s3:::${Bucket}`,
        DomainName: `${Bucket}.s3.amazonaws.com`,
        DualStackDomainName: `${Bucket}.s3.dualstack.${kernel.region}.amazonaws.com`,
        RegionalDomainName: `${Bucket}.s3.${kernel.region}.amazonaws.com`,
        WebsiteURL: `http://${Bucket}.s3-website-${kernel.region}.amazonaws.com`,
      },
    };
  },
  update: {
    properties: [
      ...['AccessControl', 'BucketEncryption', 'CorsConfiguration', 'LifecycleConfiguration', 'LoggingConfiguration'],
      ...['NotificationConfiguration', 'OwnershipControls', 'PublicAccessBlockConfiguration', 'Tags'],
      'VersioningConfiguration',
    ],
    by: updateBucket,
  },
  delete: ({ kernel, caller }, { ref: Bucket }) => kernel.call('s3', 'DeleteBucket', { Bucket }, caller),
};

/** Settings are put again. S3 has no default to go back to for one that is gone from the template. */
async function updateBucket({ kernel, caller, properties }: ResourceRequest, before: ExistingResource) {
  const calls = settings(properties as BucketProperties);
  const gone = settings(before.properties as BucketProperties).find(
    ([operation]) => !calls.some(([other]) => other === operation),
  );
  if (gone) {
    throw new AwsError('NotEmulated', `what ${gone[0]} has set cannot be taken away from a bucket that is kept`, 501);
  }
  for (const [operation, input] of calls) {
    await kernel.call('s3', operation, { ...input, Bucket: before.ref }, caller);
  }
  return before;
}

const bucketPolicy: ResourceHandler = {
  type: 'AWS::S3::BucketPolicy',
  properties: { Bucket: 'executed', PolicyDocument: 'executed' },
  async create({ kernel, caller, properties }) {
    const Bucket = String(properties.Bucket);
    const Policy = JSON.stringify(properties.PolicyDocument);
    await kernel.call('s3', 'PutBucketPolicy', { Bucket, Policy }, caller);
    return { ref: Bucket, attributes: {} };
  },
  update: { properties: 'all', by: 'replace' },
  delete: ({ kernel, caller }, { ref: Bucket }) => kernel.call('s3', 'DeleteBucketPolicy', { Bucket }, caller),
};

export const s3Resources: readonly ResourceHandler[] = [bucket, bucketPolicy];
