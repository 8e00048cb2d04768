import { FIRMWARE_KEY_ALIASES } from '@thingstead/contracts/firmware-store';
import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { pin } from './pin.ts';
import type { PlatformConfig } from './platform-config.ts';
import { FIRMWARE_BUCKET_NAME, STATE_EXPORTS } from './resource-names.ts';

/**
 * The images and the keys of firmware. Devices in the field trust the keys: who loses them cannot update these devices any more, so
 * they stay whatever becomes of the stack.
 */
export class FirmwareState extends Construct {
  constructor(scope: Construct, id: string, { config }: { readonly config: PlatformConfig }) {
    super(scope, id);
    this.#images();
    // No role of the platform may sign with it, so that whoever takes the platform over can release nothing.
    if (config.firmware.releaseKey === 'KMS') {
      this.#key('FirmwareReleaseKey', FIRMWARE_KEY_ALIASES.release, 'Signs firmware releases; for operators only');
    }
    const assignment = this.#key(
      'FirmwareAssignmentKey',
      FIRMWARE_KEY_ALIASES.assignment,
      'Signs which firmware release a device gets now',
    );
    const { firmwareAssignmentKeyArn } = STATE_EXPORTS;
    const output = new CfnOutput(this, 'AssignmentKeyArn', {
      value: assignment.keyArn,
      exportName: firmwareAssignmentKeyArn,
    });
    output.overrideLogicalId('FirmwareAssignmentKeyArn');
  }

  /** A release pins the version of its image, so versions never go. */
  #images(): void {
    const bucket = new Bucket(this, 'Bucket', {
      bucketName: FIRMWARE_BUCKET_NAME,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(3) }],
    });
    pin(bucket, 'FirmwareBucket');
    new CfnOutput(this, 'BucketName', { value: bucket.bucketName }).overrideLogicalId('FirmwareBucketName');
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'Images are written with URLs that the log of the firmware function names, and read with URLs that devices are granted one by one. CloudTrail data events record access where that is asked for.',
    );
  }

  #key(id: string, alias: string, description: string): Key {
    const key = new Key(this, id, {
      alias,
      description,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    pin(key, id);
    return key;
  }
}
