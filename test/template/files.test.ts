/** Files in the templates: who may do what, who may call, what the bucket does by itself, where failures go. */
import { readPlatformConfig } from '../../lib/platform-config.ts';
import { flat, only, resources, type Synthesis, synthesize } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize();
});

const account = '<region>:<accountid>';
const bucket = 'thingstead-files-<accountid>-<region>';

function properties(template: Synthesis['state'], type: string, prefix: string): Record<string, unknown> {
  return flat(only(template, type, prefix)[1].Properties) as Record<string, unknown>;
}

function id(type: string, prefix: string): string {
  return only(synthesis.platform, type, prefix)[0];
}

/** The statements of a role's policy as `actions: resource`, with their conditions. */
function statements(prefix: string): readonly string[] {
  const { PolicyDocument } = properties(synthesis.platform, 'AWS::IAM::Policy', prefix);
  const { Statement } = PolicyDocument as { Statement: Record<string, unknown>[] };
  return Statement.map(({ Effect, Action, Resource, Condition, ...others }) => {
    expect([Effect, others]).toEqual(['Allow', {}]);
    const text = `${[Action].flat().join(' ')}: ${[Resource].flat().join(' ')}`;
    return Condition ? `${text} if ${JSON.stringify(Condition)}` : text;
  });
}

const table = (name: string): string => `arn:<partition>:dynamodb:${account}:table/thingstead-${name}`;
const ofTransfers = [
  `dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${table('files')}`,
  `dynamodb:BatchGetItem: ${table('access')}`,
  `s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:ListMultipartUploadParts s3:PutObject: arn:<partition>:s3:::${bucket}/files/*`,
  `s3:ListBucket: arn:<partition>:s3:::${bucket}`,
  'kms:Decrypt kms:GenerateDataKey: <thingstead-files-key-arn> if {"StringEquals":{"kms:EncryptionContext:thingstead:stage":"production"}}',
  'kms:Decrypt kms:GenerateDataKey: <thingstead-files-bucket-key-arn> if {"StringEquals":{"kms:ViaService":"s3.<region>.amazonaws.com"}}',
  `iot:Publish: arn:<partition>:iot:${account}:topic/device/*/files/*/v1/accepted arn:<partition>:iot:${account}:topic/device/*/files/*/v1/rejected`,
];

describe('the function', () => {
  it('of the routes brings transfers on their way, and sees whether there is a thing', () => {
    expect(statements('FilesFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'FilesFunction')}.Arn>`,
      ...ofTransfers,
      `dynamodb:GetItem: ${table('things')}`,
    ]);
  });

  it('of transfers does the same, and puts aside what it fails on', () => {
    expect(statements('FilesTransfersFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'FilesTransfersFunction')}.Arn>`,
      ...ofTransfers,
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'FilesFailedQueue')}.Arn>`,
    ]);
  });

  it('roles are for Lambda, that of the rule for this rule', () => {
    const trust = (prefix: string) => properties(synthesis.platform, 'AWS::IAM::Role', prefix).AssumeRolePolicyDocument;
    const lambda = {
      Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }],
      Version: '2012-10-17',
    };
    expect([trust('FilesFunctionRole'), trust('FilesTransfersFunctionRole')]).toEqual([lambda, lambda]);
    expect(trust('FilesRuleRole')).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'iot.amazonaws.com' },
          Condition: { ArnLike: { 'aws:SourceArn': `arn:<partition>:iot:${account}:rule/thingstead_files` } },
        },
      ],
    });
    expect(statements('FilesRuleRole')).toEqual([`sqs:SendMessage: <${id('AWS::SQS::Queue', 'FilesErrorQueue')}.Arn>`]);
  });

  it('of transfers is called by its two rules and by nobody else', () => {
    const callers = resources(synthesis.platform, 'AWS::Lambda::Permission')
      .map(([, each]) => flat(each.Properties) as Record<string, unknown>)
      .filter(({ FunctionName }) => FunctionName === `<${id('AWS::Lambda::Function', 'FilesTransfersFunction')}.Arn>`);

    expect(callers.map(({ Principal, SourceArn }) => [Principal, SourceArn])).toEqual([
      ['iot.amazonaws.com', `arn:<partition>:iot:${account}:rule/thingstead_files`],
      ['events.amazonaws.com', `<${id('AWS::Events::Rule', 'FilesObjectsRule')}.Arn>`],
    ]);
  });

  it('policies are all of these', () => {
    const roles = resources(synthesis.platform, 'AWS::IAM::Policy').filter(([name]) => name.startsWith('Files'));
    expect(roles).toHaveLength(3);
  });
});

it('what S3 says of objects goes to the function of transfers, or into the queue of failures', () => {
  const { EventPattern, Targets } = properties(synthesis.platform, 'AWS::Events::Rule', 'FilesObjectsRule');

  expect(EventPattern).toEqual({
    source: ['aws.s3'],
    'detail-type': ['Object Created', 'Object Deleted'],
    detail: { bucket: { name: [bucket] } },
  });
  expect(Targets).toEqual([
    expect.objectContaining({
      Arn: `<${id('AWS::Lambda::Function', 'FilesTransfersFunction')}.Arn>`,
      DeadLetterConfig: { Arn: `<${id('AWS::SQS::Queue', 'FilesFailedQueue')}.Arn>` },
    }),
  ]);
});

describe('the bucket', () => {
  it('is encrypted with a key of its own, tells EventBridge, and forgets', () => {
    const { state } = synthesize({ 'thingstead:files': { retentionDays: 7 } });

    expect(properties(state, 'AWS::S3::Bucket', 'FilesBucket')).toMatchObject({
      BucketName: bucket,
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { KMSMasterKeyID: '<FilesBucketKey.Arn>', SSEAlgorithm: 'aws:kms' },
          },
        ],
      },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
      LifecycleConfiguration: {
        Rules: [
          { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 }, Id: 'unfinished-uploads', Status: 'Enabled' },
          { ExpirationInDays: 7, Id: 'retention', Status: 'Enabled' },
        ],
      },
    });
    expect(properties(state, 'AWS::S3::Bucket', 'FilesBucket')).not.toHaveProperty('VersioningConfiguration');
  });

  it('lets the web pages that may call the API fetch and put, and no others', () => {
    const allowedOrigins = ['https://app.example.com', 'http://localhost:3000'];
    const { state } = synthesize({ 'thingstead:access': { allowedOrigins } });

    expect(properties(state, 'AWS::S3::Bucket', 'FilesBucket').CorsConfiguration).toEqual({
      CorsRules: [
        {
          Id: 'web-pages',
          AllowedOrigins: allowedOrigins,
          AllowedMethods: ['GET', 'PUT'],
          AllowedHeaders: ['content-type', 'if-match', 'range', 'x-amz-checksum-sha256'],
          ExposedHeaders: ['etag', 'content-range', 'x-amz-request-id'],
          MaxAge: 3600,
        },
      ],
    });
    const others = resources(state, 'AWS::S3::Bucket').filter(([, { Properties }]) => Properties?.CorsConfiguration);
    expect(others.map(([name]) => name)).toEqual(['FilesBucket']);
    const none = synthesize({ 'thingstead:access': { allowedOrigins: [] } }).state;
    expect(properties(none, 'AWS::S3::Bucket', 'FilesBucket')).not.toHaveProperty('CorsConfiguration');
  });

  it('refuses plain HTTP', () => {
    const policies = resources(synthesis.state, 'AWS::S3::BucketPolicy').map(([, each]) => flat(each.Properties));

    expect(policies).toContainEqual({
      Bucket: '<FilesBucket>',
      PolicyDocument: {
        Statement: [
          {
            Action: 's3:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Resource: ['<FilesBucket.Arn>', '<FilesBucket.Arn>/*'],
          },
        ],
        Version: '2012-10-17',
      },
    });
  });

  it('key and the key of data keys are two, that rotate', () => {
    const keys = ['FilesKey', 'FilesBucketKey'].map((name) => {
      const found = resources(synthesis.state, 'AWS::KMS::Key').find(([key]) => key === name);
      return found?.[1].Properties;
    });
    for (const key of keys) expect(key).toMatchObject({ EnableKeyRotation: true });
  });
});

it.each([
  [{ quotaBytesPerThing: 5 }, /quotaBytesPerThing must be more than maxBytes/],
  [{ maxBytes: 6 * 2 ** 30 }, /thingstead:files\.maxBytes/],
  [{ retentionDays: 0 }, /thingstead:files\.retentionDays/],
  [{ days: 1 }, /unknown key thingstead:files\.days/],
])('refuses the setting %j', (wrong, message) => {
  expect(() => readPlatformConfig({ 'thingstead:files': wrong })).toThrow(message);
});
