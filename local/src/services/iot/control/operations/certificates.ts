import type {
  Certificate as CertificateSummary,
  DeleteCertificateCommandInput,
  DescribeCertificateCommandInput,
  DescribeCertificateResponse,
  ListCertificatesByCACommandInput,
  ListCertificatesByCAResponse,
  ListCertificatesCommandInput,
  ListCertificatesResponse,
  UpdateCertificateCommandInput,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { StoredCertificate } from '../../certificates/certificate-store.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { certificateState, deleteConflict, invalidRequest, required } from '../errors.ts';
import { byCreation, page } from '../page.ts';

type ListInput = Pick<ListCertificatesCommandInput, 'pageSize' | 'marker' | 'ascendingOrder'>;

/** Administration of device certificates. */
export function certificateOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { kernel, certificates } = plane;
  const onCertificate = (action: string, id: string | undefined) =>
    on(plane, action, `cert/${required(id, 'certificateId')}`);
  return {
    DescribeCertificate: operation<DescribeCertificateCommandInput, DescribeCertificateResponse>({
      permissions: ({ certificateId }) => onCertificate('DescribeCertificate', certificateId),
      run: ({ certificateId }) => ({
        certificateDescription: describe(certificates.get(required(certificateId, 'certificateId')), kernel.accountId),
      }),
    }),
    ListCertificates: operation<ListCertificatesCommandInput, ListCertificatesResponse>({
      permissions: () => onAll('ListCertificates'),
      run: (input) => list(certificates.all, input),
    }),
    ListCertificatesByCA: operation<ListCertificatesByCACommandInput, ListCertificatesByCAResponse>({
      permissions: () => onAll('ListCertificatesByCA'),
      run: (input) =>
        list(
          [...certificates.all].filter((each) => each.caCertificateId === input.caCertificateId),
          input,
        ),
    }),
    UpdateCertificate: operation<UpdateCertificateCommandInput, object>({
      permissions: ({ certificateId }) => onCertificate('UpdateCertificate', certificateId),
      run({ certificateId, newStatus }) {
        const certificate = certificates.get(required(certificateId, 'certificateId'));
        certificates.setStatus(certificate, settable(required(newStatus, 'newStatus')));
        return {};
      },
    }),
    DeleteCertificate: operation<DeleteCertificateCommandInput, object>({
      permissions: ({ certificateId }) => onCertificate('DeleteCertificate', certificateId),
      run({ certificateId, forceDelete }) {
        remove(plane, certificates.get(required(certificateId, 'certificateId')), forceDelete === true);
        return {};
      },
    }),
  };
}

/** "Setting the status to PENDING_TRANSFER or PENDING_ACTIVATION will result in an exception" (UpdateCertificate). */
function settable(status: string): 'ACTIVE' | 'INACTIVE' | 'REVOKED' {
  if (status === 'ACTIVE' || status === 'INACTIVE' || status === 'REVOKED') return status;
  if (status === 'PENDING_TRANSFER' || status === 'PENDING_ACTIVATION') {
    throw certificateState(`The status of a certificate cannot be set to ${status}`);
  }
  throw invalidRequest(`newStatus is ${status}; it has to be ACTIVE, INACTIVE or REVOKED`);
}

/**
 * `force` deletes in spite of attached policies, not in spite of things (DeleteCertificate, forceDelete).
 *
 * @throws AwsError CertificateStateException, DeleteConflictException
 */
function remove(
  { certificates, policies, things }: ControlPlane,
  certificate: StoredCertificate,
  force: boolean,
): void {
  const { arn, certificateId, status } = certificate;
  if (status !== 'INACTIVE' && status !== 'REVOKED') {
    throw certificateState(`The certificate is ${status}; it has to be INACTIVE or REVOKED before it is deleted`);
  }
  const [thing] = things.thingsOf(arn).keys();
  if (thing !== undefined) {
    throw deleteConflict(`Things must be detached before deletion (arn: ${arn}, thing: ${thing})`);
  }
  const attached = policies.attachedTo(arn);
  if (attached.length > 0 && !force) {
    throw deleteConflict(
      `Certificate policies must be detached before deletion (arn: ${arn}, policies: ${attached.map(({ name }) => name).join(', ')})`,
    );
  }
  for (const policy of attached) policies.detach(policy, arn);
  certificates.delete(certificates.get(certificateId));
}

function list(
  all: Iterable<StoredCertificate>,
  { pageSize, marker, ascendingOrder }: ListInput,
): { certificates: CertificateSummary[]; nextMarker: string | undefined } {
  const { items, next } = page(all, ({ createdAt, certificateId }) => byCreation(createdAt, certificateId), {
    size: pageSize,
    token: marker,
    descending: ascendingOrder !== true,
  });
  return {
    certificates: items.map(({ arn, certificateId, status, mode, createdAt }) => ({
      certificateArn: arn,
      certificateId,
      status,
      certificateMode: mode,
      creationDate: new Date(createdAt),
    })),
    nextMarker: next,
  };
}

function describe(
  certificate: StoredCertificate,
  accountId: string,
): NonNullable<DescribeCertificateResponse['certificateDescription']> {
  const { validity } = certificate;
  return {
    certificateArn: certificate.arn,
    certificateId: certificate.certificateId,
    caCertificateId: certificate.caCertificateId,
    status: certificate.status,
    certificatePem: certificate.pem,
    ownedBy: accountId,
    creationDate: new Date(certificate.createdAt),
    lastModifiedDate: new Date(certificate.lastModifiedAt),
    customerVersion: certificate.customerVersion,
    generationId: certificate.generationId,
    validity: { notBefore: new Date(validity.notBefore), notAfter: new Date(validity.notAfter) },
    certificateMode: certificate.mode,
  };
}
