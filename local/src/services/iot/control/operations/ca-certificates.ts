import type {
  CACertificateDescription,
  DeleteCACertificateCommandInput,
  DeleteCACertificateResponse,
  DescribeCACertificateCommandInput,
  DescribeCACertificateResponse,
  GetRegistrationCodeResponse,
  ListCACertificatesCommandInput,
  ListCACertificatesResponse,
  UpdateCACertificateCommandInput,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { CaCertificate } from '../../certificates/ca-store.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { certificateState, invalidRequest, optionNotEmulated, required } from '../errors.ts';
import { byCreation, page } from '../page.ts';

/** Registration code and administration of CA certificates. */
export function caCertificateOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { kernel, cas } = plane;
  const onCa = (action: string, id: string | undefined) => on(plane, action, `cacert/${required(id, 'certificateId')}`);
  return {
    GetRegistrationCode: operation<unknown, GetRegistrationCodeResponse>({
      permissions: () => onAll('GetRegistrationCode'),
      run: () => ({ registrationCode: cas.registrationCode() }),
    }),
    DeleteRegistrationCode: operation<unknown, object>({
      permissions: () => onAll('DeleteRegistrationCode'),
      run() {
        cas.deleteRegistrationCode();
        return {};
      },
    }),
    DescribeCACertificate: operation<DescribeCACertificateCommandInput, DescribeCACertificateResponse>({
      permissions: ({ certificateId }) => onCa('DescribeCACertificate', certificateId),
      run: ({ certificateId }) => ({
        certificateDescription: describe(cas.get(required(certificateId, 'certificateId')), kernel.accountId),
      }),
    }),
    ListCACertificates: operation<ListCACertificatesCommandInput, ListCACertificatesResponse>({
      permissions: () => onAll('ListCACertificates'),
      run({ pageSize, marker, ascendingOrder, templateName }) {
        if (templateName !== undefined) throw optionNotEmulated('ListCACertificates by templateName');
        const { items, next } = page(cas.all, (ca) => byCreation(ca.createdAt, ca.certificateId), {
          size: pageSize,
          token: marker,
          descending: ascendingOrder !== true,
        });
        return {
          certificates: items.map(({ arn, certificateId, status, createdAt }) => ({
            certificateArn: arn,
            certificateId,
            status,
            creationDate: new Date(createdAt),
          })),
          nextMarker: next,
        };
      },
    }),
    UpdateCACertificate: operation<UpdateCACertificateCommandInput, object>({
      permissions: ({ certificateId }) => onCa('UpdateCACertificate', certificateId),
      run(input) {
        if (input.registrationConfig || input.removeAutoRegistration) {
          throw optionNotEmulated('registrationConfig (just-in-time provisioning)');
        }
        const ca = cas.get(required(input.certificateId, 'certificateId'));
        cas.update(ca, {
          ...(input.newStatus !== undefined && { status: oneOf(input.newStatus, 'newStatus', ['ACTIVE', 'INACTIVE']) }),
          ...(input.newAutoRegistrationStatus !== undefined && {
            autoRegistration: oneOf(input.newAutoRegistrationStatus, 'newAutoRegistrationStatus', [
              'ENABLE',
              'DISABLE',
            ]),
          }),
        });
        return {};
      },
    }),
    DeleteCACertificate: operation<DeleteCACertificateCommandInput, DeleteCACertificateResponse>({
      permissions: ({ certificateId }) => onCa('DeleteCACertificate', certificateId),
      run({ certificateId }) {
        const ca = cas.get(required(certificateId, 'certificateId'));
        if (ca.status === 'ACTIVE') throw certificateState('The CA certificate is ACTIVE; it has to be INACTIVE first');
        cas.delete(ca);
        plane.tags.forget(ca.arn);
        return {};
      },
    }),
  };
}

function describe(ca: CaCertificate, accountId: string): CACertificateDescription {
  return {
    certificateArn: ca.arn,
    certificateId: ca.certificateId,
    status: ca.status,
    certificatePem: ca.pem,
    ownedBy: accountId,
    creationDate: new Date(ca.createdAt),
    autoRegistrationStatus: ca.autoRegistration,
    lastModifiedDate: new Date(ca.lastModifiedAt),
    customerVersion: ca.customerVersion,
    generationId: ca.generationId,
    validity: { notBefore: new Date(ca.validity.notBefore), notAfter: new Date(ca.validity.notAfter) },
    certificateMode: ca.mode,
  };
}

function oneOf<T extends string>(value: string, name: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw invalidRequest(`${name} is ${value}; it has to be ${allowed.join(' or ')}`);
  return found;
}
