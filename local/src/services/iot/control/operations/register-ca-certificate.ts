import type { X509Certificate } from 'node:crypto';
import type { RegisterCACertificateCommandInput, RegisterCACertificateResponse } from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import { AwsError } from '../../../../kernel/errors.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { commonNames, isIssuedBy, parsePem, weakness } from '../../certificates/x509.ts';
import { type ControlPlane, onAll } from '../control-plane.ts';
import { certificateValidation, invalidRequest, optionNotEmulated, required } from '../errors.ts';
import { taggingPermissions } from './tags.ts';

/**
 * Registers a CA whose device certificates the account accepts. In mode DEFAULT the owner proves to hold the CA's key
 * with a certificate for the account's registration code; mode SNI_ONLY asks for no proof
 * (https://docs.aws.amazon.com/iot/latest/developerguide/register-CA-cert.html).
 *
 * @throws AwsError CertificateValidationException, RegistrationCodeValidationException, ResourceAlreadyExistsException,
 *   LimitExceededException, InvalidRequestException
 */
export function registerCaCertificate(plane: ControlPlane): AnyOperation {
  return operation<RegisterCACertificateCommandInput, RegisterCACertificateResponse>({
    permissions: ({ tags }) => taggingPermissions(onAll('RegisterCACertificate'), tags),
    run(input) {
      if (input.registrationConfig) throw optionNotEmulated('registrationConfig (just-in-time provisioning)');
      plane.tags.check(input.tags);
      const mode = input.certificateMode ?? 'DEFAULT';
      if (mode !== 'DEFAULT' && mode !== 'SNI_ONLY') {
        throw invalidRequest(`certificateMode is ${mode}; it has to be DEFAULT or SNI_ONLY`);
      }
      const x509 = parsePem(required(input.caCertificate, 'caCertificate'), 'caCertificate');
      checkCa(plane, x509);
      if (mode === 'DEFAULT') checkProof(plane, x509, input.verificationCertificate);
      else if (input.verificationCertificate !== undefined) {
        throw invalidRequest('a CA in mode SNI_ONLY is registered without a verification certificate');
      }
      const ca = plane.cas.add({
        x509,
        mode,
        active: input.setAsActive === true,
        autoRegistration: input.allowAutoRegistration === true,
      });
      plane.tags.add(ca.arn, input.tags);
      return { certificateArn: ca.arn, certificateId: ca.certificateId };
    },
  });
}

function checkCa({ kernel }: ControlPlane, x509: X509Certificate): void {
  if (!x509.ca)
    throw certificateValidation('caCertificate is not the certificate of a CA: basic constraints say CA:FALSE');
  const weak = weakness(x509);
  if (weak !== undefined) throw certificateValidation(`caCertificate is not accepted: ${weak}`);
  if (x509.validToDate.getTime() < kernel.clock.now()) {
    throw certificateValidation(`caCertificate has expired on ${x509.validToDate.toISOString()}`);
  }
}

function checkProof({ cas }: ControlPlane, ca: X509Certificate, given: string | undefined): void {
  if (given === undefined) throw invalidRequest('a CA in mode DEFAULT is registered with a verificationCertificate');
  const proof = parsePem(given, 'verificationCertificate');
  if (!isIssuedBy(proof, ca)) throw certificateValidation('verificationCertificate is not signed by caCertificate');
  if (!commonNames(proof).includes(cas.registrationCode())) {
    throw new AwsError(
      'RegistrationCodeValidationException',
      'The common name of verificationCertificate is not the registration code of this account; GetRegistrationCode gives it',
    );
  }
}
