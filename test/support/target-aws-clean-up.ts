/** Takes back what a run has made in an account. It touches only what its own CAs have issued and rows it knows. */
import { X509Certificate } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCACertificateCommand,
  DeleteCertificateCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  ListCertificatesByCACommand,
  ListPrincipalThingsCommand,
  paginateListAttachedPolicies,
  ResourceNotFoundException,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { DeleteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { claimKey, heldKey, manifestKey } from '@thingstead/contracts/registration';
import type { Made } from './target.ts';
import { isOfThisRun } from './unique-name.ts';
import { untilItPasses } from './until-it-passes.ts';

const DETACHING_SECONDS = 20;

/** Gives a line for each thing that could not be removed. Rows of telemetry stay: they expire by themselves. */
export async function removeMade(iot: IoTClient, region: string, { caIds, rows }: Made): Promise<readonly string[]> {
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient({ region }));
  const left: string[] = [];
  const keys = new Set(rows);
  const names = new Set<string>();

  async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) left.push(`${what}: ${String(error)}`);
    }
  }

  async function removeCertificate(certificateId: string): Promise<void> {
    const { certificateDescription: found } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    const target = found?.certificateArn;
    const { things = [] } = await iot.send(new ListPrincipalThingsCommand({ principal: target }));
    for await (const { policies = [] } of paginateListAttachedPolicies({ client: iot }, { target })) {
      for (const { policyName } of policies) await iot.send(new DetachPolicyCommand({ target, policyName }));
    }
    for (const thingName of things) {
      await iot.send(new DetachThingPrincipalCommand({ thingName, principal: target }));
    }
    // A certificate that is active or pending cannot be deleted.
    if (found?.status !== 'REVOKED') {
      await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    }
    await iot.send(new DeleteCertificateCommand({ certificateId, forceDelete: true }));
    const common = /^CN=(.*)$/m.exec(new X509Certificate(found?.certificatePem ?? '').subject)?.[1];
    keys.add(heldKey(certificateId));
    for (const each of [...things, ...(common === undefined ? [] : [common])]) {
      if (isOfThisRun(each)) names.add(each);
    }
  }

  for (const id of caIds) {
    await attempt(`CA certificate ${id}`, async () => {
      // Before it is inactive, a device could still be registered.
      await iot.send(new UpdateCACertificateCommand({ certificateId: id, newStatus: 'INACTIVE' }));
      const issued = await iot.send(new ListCertificatesByCACommand({ caCertificateId: id, pageSize: 250 }));
      for (const { certificateId = '' } of issued.certificates ?? []) {
        await attempt(`certificate ${certificateId}`, () => removeCertificate(certificateId));
      }
      await iot.send(new DeleteCACertificateCommand({ certificateId: id }));
    });
  }
  for (const thingName of names) {
    keys.add(claimKey(thingName)).add(manifestKey(thingName));
    // Detaching a principal takes AWS a moment, and until then the thing is not deleted.
    const remove = () => iot.send(new DeleteThingCommand({ thingName }));
    await attempt(`thing ${thingName}`, () => untilItPasses(remove, DETACHING_SECONDS));
  }
  for (const pk of keys) {
    await attempt(`row ${pk}`, () =>
      tables.send(new DeleteCommand({ TableName: TABLE_NAMES.registration, Key: { pk } })),
    );
  }
  return left;
}
