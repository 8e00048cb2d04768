import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { pin } from './pin.ts';
import { STATE_EXPORTS } from './resource-names.ts';

/**
 * The key of the CA that signs renewals: ECDSA on P-256, in KMS, which never lets it out. Its certificate an operator makes, with
 * `thingstead ca create --kms`. https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html
 */
export class CertificateAuthorityKey extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const key = new Key(this, 'Key', {
      alias: 'thingstead-certificates',
      description: 'The CA that signs the next certificates of devices',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    pin(key, 'CertificatesKey');
    new CfnOutput(this, 'KeyArn', {
      value: key.keyArn,
      exportName: STATE_EXPORTS.certificatesKeyArn,
    }).overrideLogicalId('CertificatesKeyArn');
  }
}
