/** Devices that renew their certificate: what the function makes of it. */
import { createHash, webcrypto } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListAttachedPoliciesCommand, ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type RenewalRow, renewalKey } from '@thingstead/contracts/certificate-store';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { claimKey, rotationKey } from '@thingstead/contracts/registration';
import { certificateTopic } from '@thingstead/contracts/topics';
import {
  type CertificateAuthority,
  createCa,
  createKeys,
  type DeviceCertificate,
  issue,
} from '../../support/certificates.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { anonymous, type Scenario } from './scenario.ts';

const functionName = 'thingstead-certificate-renewals';
/** Lambda tries again after one minute and after two. */
const settleSeconds = 200;
const DAY_MS = 86_400_000;

const authorities = new WeakMap<Platform, Promise<{ ca: CertificateAuthority; caId: string }>>();

function authorityOf(platform: Platform): Promise<{ ca: CertificateAuthority; caId: string }> {
  const known = authorities.get(platform);
  if (known) return known;
  const made = createCa(unique('renewing')).then(async (ca) => ({ ca, caId: await platform.registerCa(ca) }));
  authorities.set(platform, made);
  return made;
}

/** A device with little of its life left, and the next certificate, which an operator has signed for its present key. */
async function devices(platform: Platform, name: string) {
  const { ca, caId } = await authorityOf(platform);
  const keys = await createKeys();
  const half = { notBefore: new Date(Date.now() - 300 * DAY_MS), notAfter: new Date(Date.now() + 60 * DAY_MS) };
  const present = await issue(ca, unique(name), { ...half, keys });
  const next = await issue(ca, present.thing, { keys });
  await platform.join(present);
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  const row: RenewalRow = {
    ...{ thing: present.thing, version: 1, asked: 1, windowEndsAt: 0 },
    requests: [
      {
        keyHash: createHash('sha256').update(spki).digest('hex'),
        publicKey: spki.toString('base64'),
        requestedAt: 0,
        issued: { certificate: next.pem, certificateId: next.certificateId, caCertificateId: caId },
      },
    ],
  };
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
  const Item = { pk: renewalKey(present.thing), ...row };
  await tables.send(new PutCommand({ TableName: TABLE_NAMES.registration, Item }));
  return { present, next };
}

/** Says something over a connection with this certificate. */
async function say(platform: Platform, device: DeviceCertificate, body: object): Promise<void> {
  // Of one client id the broker takes a CONNECT a second.
  const client = await platform.soon(() => platform.connect(device));
  await client.publishAsync(certificateTopic(device.thing), JSON.stringify(body), { qos: 1 });
  await platform.idle();
  await client.endAsync(true);
}

async function outcomeOf(platform: Platform, present: DeviceCertificate, next: DeviceCertificate): Promise<unknown> {
  const { thing: thingName } = present;
  const { principals = [] } = await platform.iot.send(new ListThingPrincipalsCommand({ thingName }));
  const target = `arn:aws:iot:us-east-1:123456789012:cert/${next.certificateId}`;
  const { policies = [] } = await platform.iot.send(new ListAttachedPoliciesCommand({ target }));
  const outcome = {
    present: await platform.certificateStatus(present),
    next: await platform.certificateStatus(next),
    principals: principals.length,
    policies: policies.map(({ policyName }) => policyName),
    claim: await platform.registrationRow(claimKey(thingName)),
    rotation: await platform.registrationRow(rotationKey(thingName)),
    renewal: await platform.registrationRow(renewalKey(thingName)),
    failed: await platform.messagesIn(
      'thingstead-certificate-renewals-failed',
      'thingstead-certificate-renewals-errors',
    ),
  };
  const names = { [thingName]: 'thing', [present.certificateId]: 'present', [next.certificateId]: 'next' };
  // How often a row was written does not matter.
  const leaveOut = [
    'claimedAt',
    'requestedAt',
    'certificate',
    'publicKey',
    'keyHash',
    'notAfter',
    'expiresOn',
    'version',
  ];
  return anonymous(outcome, names, leaveOut);
}

export const certificatesScenarios: readonly Scenario[] = [
  {
    title: 'a device that asks for the certificate that an operator has signed',
    functionName,
    settleSeconds,
    expected: { present: 'ACTIVE', next: 'ACTIVE', principals: 2, policies: ['thingstead-device'], failed: 0 },
    async begin(platform, run) {
      const { present, next } = await devices(platform, `renewing${run}`);
      return {
        act: () => say(platform, present, { type: 'renew' }),
        outcome: () => outcomeOf(platform, present, next),
      };
    },
  },
  {
    title: 'a device that says its new certificate works',
    functionName,
    settleSeconds,
    expected: {
      present: 'INACTIVE',
      next: 'ACTIVE',
      claim: { certificateId: '<next>' },
      renewal: { requests: [] },
      failed: 0,
    },
    async begin(platform, run) {
      const { present, next } = await devices(platform, `confirming${run}`);
      await say(platform, present, { type: 'renew' });
      await platform.soon(async () => expect(await platform.certificateStatus(next)).toBe('ACTIVE'));
      return {
        act: () => say(platform, next, { type: 'confirm' }),
        outcome: () => outcomeOf(platform, present, next),
      };
    },
  },
];
