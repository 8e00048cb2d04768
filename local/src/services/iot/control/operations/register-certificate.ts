import type { X509Certificate } from 'node:crypto';
import type {
  RegisterCertificateCommandInput,
  RegisterCertificateResponse,
  RegisterCertificateWithoutCACommandInput,
  RegisterCertificateWithoutCAResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import { AwsError } from '../../../../kernel/errors.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { CaCertificate } from '../../certificates/ca-store.ts';
import { certificateIdOf, parsePem, weakness } from '../../certificates/x509.ts';
import type { CertificateStatus } from '../../types.ts';
import { type ControlPlane, onAll } from '../control-plane.ts';
import { certificateState, certificateValidation, invalidRequest, required } from '../errors.ts';

/**
 * Registers a device certificate of a registered CA. It publishes no event: those are of just-in-time registration alone.
 *
 * @throws AwsError CertificateValidationException when no registered CA has signed it, CertificateConflictException when
 *   several have and caCertificatePem does not say which, CertificateStateException, ResourceAlreadyExistsException
 */
export function registerCertificate(plane: ControlPlane): AnyOperation {
  return operation<RegisterCertificateCommandInput, RegisterCertificateResponse>({
    permissions: () => onAll('RegisterCertificate'),
    run({ certificatePem, caCertificatePem, setAsActive, status }) {
      const x509 = accepted(certificatePem);
      const ca = issuerOf(plane, x509, caCertificatePem);
      const { arn, certificateId } = plane.certificates.add({
        x509,
        caCertificateId: ca.certificateId,
        mode: ca.mode,
        status: registrable(status ?? (setAsActive ? 'ACTIVE' : 'INACTIVE')),
      });
      return { certificateArn: arn, certificateId };
    },
  });
}

/** Registers a device certificate without its CA, for clients that send SNI. */
export function registerCertificateWithoutCa(plane: ControlPlane): AnyOperation {
  return operation<RegisterCertificateWithoutCACommandInput, RegisterCertificateWithoutCAResponse>({
    permissions: () => onAll('RegisterCertificateWithoutCA'),
    run({ certificatePem, status }) {
      const { arn, certificateId } = plane.certificates.add({
        x509: accepted(certificatePem),
        caCertificateId: undefined,
        mode: 'SNI_ONLY',
        status: registrable(status ?? 'INACTIVE'),
      });
      return { certificateArn: arn, certificateId };
    },
  });
}

function accepted(pem: string | undefined): X509Certificate {
  const x509 = parsePem(required(pem, 'certificatePem'), 'certificatePem');
  const weak = weakness(x509);
  if (weak !== undefined) throw certificateValidation(`certificatePem is not accepted: ${weak}`);
  return x509;
}

/** Measured on AWS: registering as PENDING_ACTIVATION is a CertificateStateException. */
function registrable(status: string): CertificateStatus {
  if (status === 'ACTIVE' || status === 'INACTIVE' || status === 'REVOKED') return status;
  if (status === 'PENDING_ACTIVATION' || status === 'PENDING_TRANSFER') {
    throw certificateState(`A certificate cannot be registered as ${status}`);
  }
  throw invalidRequest(`status is ${status}; it has to be ACTIVE, INACTIVE or REVOKED`);
}

function issuerOf({ cas }: ControlPlane, x509: X509Certificate, caPem: string | undefined): CaCertificate {
  const issuers = cas.issuersOf(x509);
  const wanted = caPem === undefined ? undefined : certificateIdOf(parsePem(caPem, 'caCertificatePem').raw);
  const [ca, other] = issuers.filter(({ certificateId }) => wanted === undefined || certificateId === wanted);
  if (!ca) {
    throw certificateValidation(
      wanted === undefined
        ? 'No registered CA certificate has signed certificatePem'
        : 'caCertificatePem is not registered, or has not signed certificatePem',
    );
  }
  if (other) {
    throw new AwsError(
      'CertificateConflictException',
      'Several registered CA certificates with the same subject and key have signed certificatePem; caCertificatePem says which is meant',
      409,
    );
  }
  return ca;
}
