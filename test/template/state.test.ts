/** What must survive keeps its logical id and its protection: CloudFormation deletes what gets a new id. */
import { STATE_EXPORTS } from '../../lib/resource-names.ts';
import { only, resources, type Synthesis, synthesize } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize();
});

const STATE = {
  RegistrationTable: 'AWS::DynamoDB::Table',
  TelemetryHistoryTable: 'AWS::DynamoDB::Table',
  TelemetryAggregatesTable: 'AWS::DynamoDB::Table',
  ThingsTable: 'AWS::DynamoDB::Table',
  NotificationsTable: 'AWS::DynamoDB::Table',
  AccessTable: 'AWS::DynamoDB::Table',
  CommandsTable: 'AWS::DynamoDB::Table',
  FilesTable: 'AWS::DynamoDB::Table',
  FirmwareTable: 'AWS::DynamoDB::Table',
  VoiceTable: 'AWS::DynamoDB::Table',
  UserPool: 'AWS::Cognito::UserPool',
  AppClient: 'AWS::Cognito::UserPoolClient',
  IdentityPool: 'AWS::Cognito::IdentityPool',
  TelemetryStream: 'AWS::Kinesis::Stream',
  ArchiveBucket: 'AWS::S3::Bucket',
  FilesBucket: 'AWS::S3::Bucket',
  FilesKey: 'AWS::KMS::Key',
  FilesBucketKey: 'AWS::KMS::Key',
  FirmwareBucket: 'AWS::S3::Bucket',
  FirmwareReleaseKey: 'AWS::KMS::Key',
  FirmwareAssignmentKey: 'AWS::KMS::Key',
  DevicePolicy: 'AWS::IoT::Policy',
  DeviceThingType: 'AWS::IoT::ThingType',
} as const;

describe('the state stack', () => {
  it('holds these resources under these ids; a change here deletes data', () => {
    const kept = Object.values(STATE).filter((type, n, all) => all.indexOf(type) === n);
    const found = kept.flatMap((type) => resources(synthesis.state, type).map(([id]) => [id, type]));

    expect(Object.fromEntries(found)).toEqual(STATE);
  });

  it('retains all of them', () => {
    for (const [id, type] of Object.entries(STATE)) {
      const [, { DeletionPolicy, UpdateReplacePolicy }] = only(synthesis.state, type, id);
      expect([id, DeletionPolicy, UpdateReplacePolicy]).toEqual([id, 'Retain', 'Retain']);
    }
  });

  it('protects tables from deletion and can restore them to any second of 35 days', () => {
    for (const [id, { Properties }] of resources(synthesis.state, 'AWS::DynamoDB::Table')) {
      expect({ id, ...Properties }).toMatchObject({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        BillingMode: 'PAY_PER_REQUEST',
      });
    }
  });

  it('lets telemetry, deliveries, commands and what gives access expire, and registrations never', () => {
    const expiring = resources(synthesis.state, 'AWS::DynamoDB::Table').map(([id, { Properties }]) => [
      id,
      Properties.TimeToLiveSpecification,
    ]);

    const byExpiresAt = { AttributeName: 'expiresAt', Enabled: true };
    expect(Object.fromEntries(expiring)).toEqual({
      RegistrationTable: undefined,
      TelemetryHistoryTable: byExpiresAt,
      TelemetryAggregatesTable: byExpiresAt,
      ThingsTable: undefined,
      NotificationsTable: byExpiresAt,
      AccessTable: byExpiresAt,
      CommandsTable: byExpiresAt,
      FilesTable: byExpiresAt,
      FirmwareTable: byExpiresAt,
      VoiceTable: undefined,
    });
  });

  it('exports what AWS names itself, and nothing else: the rest the platform finds by name', () => {
    const outputs = Object.values(synthesis.state.Outputs);
    const { userPoolId, appClientId, identityPoolId, accessTableStreamArn, firmwareAssignmentKeyArn } = STATE_EXPORTS;
    const { filesKeyArn, filesBucketKeyArn } = STATE_EXPORTS;
    const exported = [
      ...[userPoolId, appClientId, identityPoolId, accessTableStreamArn, firmwareAssignmentKeyArn],
      ...[filesKeyArn, filesBucketKeyArn],
    ];
    const imported = JSON.stringify(synthesis.platform).matchAll(/"Fn::ImportValue":"([^"]*)"/g);

    expect(outputs.flatMap(({ Export }) => Export?.Name ?? []).sort()).toEqual(exported.toSorted());
    expect(exported).toEqual(expect.arrayContaining([...imported].map(([, name]) => name)));
  });
});

describe('the keys of firmware', () => {
  it('sign and do nothing else, with P-256', () => {
    for (const id of ['FirmwareReleaseKey', 'FirmwareAssignmentKey']) {
      const [, { Properties }] = only(synthesis.state, 'AWS::KMS::Key', id);
      expect(Properties).toMatchObject({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    }
  });

  it('are one, when releases are signed offline', () => {
    const { state } = synthesize({ 'thingstead:firmware': { releaseKey: 'OFFLINE' } });

    const keys = resources(state, 'AWS::KMS::Key').map(([id]) => id);
    expect(keys.filter((id) => id.startsWith('Firmware'))).toEqual(['FirmwareAssignmentKey']);
  });
});

describe('the mode of the stream', () => {
  it.each([
    [undefined, { ShardCount: 1, StreamModeDetails: { StreamMode: 'PROVISIONED' } }],
    [{ shards: 4 }, { ShardCount: 4, StreamModeDetails: { StreamMode: 'PROVISIONED' } }],
    [{ mode: 'ON_DEMAND' }, { StreamModeDetails: { StreamMode: 'ON_DEMAND' } }],
  ])('%j', (kinesis, expected) => {
    const { state } = synthesize(kinesis ? { 'thingstead:kinesis': kinesis } : {});
    const [, { Properties }] = only(state, 'AWS::Kinesis::Stream', 'TelemetryStream');

    expect(Properties).toMatchObject(expected);
    if (!('ShardCount' in expected)) expect(Properties).not.toHaveProperty('ShardCount');
  });
});
