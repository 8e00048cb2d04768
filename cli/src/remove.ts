import { rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  DeleteCACertificateCommand,
  DeleteCertificateCommand,
  DeleteThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  ListCertificatesByCACommand,
  paginateListAttachedPolicies,
  ResourceNotFoundException,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import type { Cloud } from './cloud.ts';
import type { JournalEntry } from './journal.ts';
import { deleteThingRows } from './registration-rows.ts';
import { certificatesOf, getCertificate } from './things.ts';

/** Removes certificate, thing (when no other certificate has it), rows and files of a device. */
export async function removeDevice(cloud: Cloud, { name, certificateId, folder }: JournalEntry): Promise<void> {
  if (certificateId !== '') await removeCertificate(cloud, certificateId, name);
  const others = await orUndefined(certificatesOf(cloud, name));
  if (others?.length === 0) await orUndefined(cloud.iot.send(new DeleteThingCommand({ thingName: name })));
  if (!others || others.length === 0) await deleteThingRows(cloud, name, certificateId === '' ? [] : [certificateId]);
  removeFiles(folder, ['device.key', 'device.crt', 'device.json']);
}

/** Removes a CA and the certificates that it has issued and that are known; its files only when nobody else needs them. */
export async function removeCa(
  cloud: Cloud,
  { certificateId, folder }: JournalEntry,
  withFiles: boolean,
): Promise<void> {
  const { iot } = cloud;
  const page = await orUndefined(
    iot.send(new ListCertificatesByCACommand({ caCertificateId: certificateId, pageSize: 250 })),
  );
  for (const issued of page?.certificates ?? []) {
    if (issued.certificateId && issued.status !== 'ACTIVE') await removeCertificate(cloud, issued.certificateId);
  }
  await orUndefined(iot.send(new UpdateCACertificateCommand({ certificateId, newStatus: 'INACTIVE' })));
  await orUndefined(iot.send(new DeleteCACertificateCommand({ certificateId })));
  if (withFiles) removeFiles(folder, ['ca.key', 'ca.crt']);
}

async function removeCertificate(cloud: Cloud, certificateId: string, thingName?: string): Promise<void> {
  const { iot } = cloud;
  const certificate = await getCertificate(cloud, certificateId);
  if (!certificate) return;
  const { arn, status } = certificate;
  for await (const { policies = [] } of paginateListAttachedPolicies({ client: iot }, { target: arn })) {
    for (const { policyName } of policies) await iot.send(new DetachPolicyCommand({ target: arn, policyName }));
  }
  if (thingName !== undefined) {
    await orUndefined(iot.send(new DetachThingPrincipalCommand({ thingName, principal: arn })));
  }
  // A certificate must be neither active nor pending to be deleted.
  if (status !== 'INACTIVE' && status !== 'REVOKED') {
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
  }
  await iot.send(new DeleteCertificateCommand({ certificateId, forceDelete: true }));
}

function removeFiles(folder: string, names: readonly string[]): void {
  if (folder === '') return;
  for (const name of names) rmSync(path.join(folder, name), { force: true });
  try {
    rmdirSync(folder);
  } catch {
    // Something else is in it, or it is gone already.
  }
}

/** What is gone already needs no removing. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
