import type {
  CreateCertificateFromCsrCommandInput,
  CreateCertificateFromCsrResponse,
  CreateKeysAndCertificateCommandInput,
  CreateKeysAndCertificateResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { weakness } from '../../certificates/x509.ts';
import { type ControlPlane, onAll } from '../control-plane.ts';
import { certificateValidation, required } from '../errors.ts';

/** A new key pair with a certificate of AWS IoT's own CA. The private key is given once and kept nowhere. */
export function createKeysAndCertificate({ certificates, amazonCa }: ControlPlane): AnyOperation {
  return operation<CreateKeysAndCertificateCommandInput, CreateKeysAndCertificateResponse>({
    permissions: () => onAll('CreateKeysAndCertificate'),
    async run({ setAsActive }) {
      const { x509, publicKey, privateKey } = await amazonCa.createKeysAndCertificate();
      const { arn, certificateId, pem } = certificates.add({
        x509,
        caCertificateId: undefined,
        mode: 'DEFAULT',
        status: setAsActive ? 'ACTIVE' : 'INACTIVE',
      });
      return {
        certificateArn: arn,
        certificateId,
        certificatePem: pem,
        keyPair: { PublicKey: publicKey, PrivateKey: privateKey },
      };
    },
  });
}

/**
 * A certificate of AWS IoT's own CA for a key that the caller holds.
 *
 * @throws AwsError CertificateValidationException for a request that cannot be read or whose key is too weak
 */
export function createCertificateFromCsr({ certificates, amazonCa }: ControlPlane): AnyOperation {
  return operation<CreateCertificateFromCsrCommandInput, CreateCertificateFromCsrResponse>({
    permissions: () => onAll('CreateCertificateFromCsr'),
    async run({ certificateSigningRequest, setAsActive }) {
      const x509 = await amazonCa.certify(required(certificateSigningRequest, 'certificateSigningRequest'));
      const weak = weakness(x509);
      if (weak !== undefined) throw certificateValidation(`the request is not accepted: ${weak}`);
      const { arn, certificateId, pem } = certificates.add({
        x509,
        caCertificateId: undefined,
        mode: 'DEFAULT',
        status: setAsActive ? 'ACTIVE' : 'INACTIVE',
      });
      return { certificateArn: arn, certificateId, certificatePem: pem };
    },
  });
}
