/** Certificates that connect: what the registration function does about them. */
import {
  DescribeThingCommand,
  ListAttachedPoliciesCommand,
  ListThingPrincipalsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot';
import { claimKey, heldKey } from '@thingstead/contracts/registration';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { anonymous, type Scenario } from './scenario.ts';

const functionName = 'thingstead-registration';
/** Lambda tries again after one minute and after two. */
const settleSeconds = 200;

const authorities = new WeakMap<Platform, Promise<CertificateAuthority>>();

/** The CA of all devices of a platform here. */
function authorityOf(platform: Platform): Promise<CertificateAuthority> {
  const known = authorities.get(platform);
  if (known) return known;
  const made = createCa(unique('crashing')).then(async (ca) => {
    await platform.registerCa(ca);
    return ca;
  });
  authorities.set(platform, made);
  return made;
}

/** A connection with a certificate that is not active, which AWS IoT announces. */
async function announce(platform: Platform, device: DeviceCertificate): Promise<void> {
  await expect(platform.connect(device)).rejects.toThrow('closed before CONNACK');
  await platform.idle();
}

async function outcomeOf(platform: Platform, device: DeviceCertificate): Promise<unknown> {
  const { thing: thingName, certificateId } = device;
  const thing = await platform.iot.send(new DescribeThingCommand({ thingName })).catch(ifThereIsNone);
  const listing = await platform.iot.send(new ListThingPrincipalsCommand({ thingName })).catch(ifThereIsNone);
  const target = `arn:aws:iot:us-east-1:123456789012:cert/${certificateId}`;
  const { policies = [] } = await platform.iot.send(new ListAttachedPoliciesCommand({ target }));
  const log = await platform.functionLog('registration', certificateId);
  const outcome = {
    status: await platform.certificateStatus(device),
    // Every change counts: a thing that was made once has version 1.
    thing: thing && { type: thing.thingTypeName, attributes: thing.attributes, version: thing.version },
    principals: listing?.principals,
    policies: policies.map(({ policyName }) => policyName),
    claim: await platform.registrationRow(claimKey(thingName)),
    held: await platform.registrationRow(heldKey(certificateId)),
    // The operator is told at least once.
    told: [...new Set(log.match(/registration\.(admitted|held)/g))],
    failed: await platform.messagesIn('thingstead-registration-failed', 'thingstead-registration-errors'),
  };
  // A refusal is counted at least once for each time that it happens.
  const leaveOut = ['claimedAt', 'firstSeenAt', 'lastSeenAt', 'caCertificateId', 'count', 'notAfter', 'expiresOn'];
  return anonymous(outcome, { [thingName]: 'thing', [certificateId]: 'certificate' }, leaveOut);
}

function ifThereIsNone(error: unknown): undefined {
  if (!(error instanceof ResourceNotFoundException)) throw error;
}

export const registrationScenarios: readonly Scenario[] = [
  {
    title: 'a device that was held, and may join now',
    functionName,
    settleSeconds,
    expected: {
      status: 'ACTIVE',
      policies: ['thingstead-device'],
      told: ['registration.held', 'registration.admitted'],
      failed: 0,
    },
    async begin(platform, run) {
      const device = await issue(await authorityOf(platform), unique(`late${run}`));
      await platform.addToManifest({ thing: device.thing, certificateId: 'f'.repeat(64) });
      await announce(platform, device);
      await platform.addToManifest({ thing: device.thing, attributes: { field: 'north' } });
      return { act: () => announce(platform, device), outcome: () => outcomeOf(platform, device) };
    },
  },
  {
    title: 'a device whose certificate is on the revocation list',
    functionName,
    settleSeconds,
    expected: {
      status: 'INACTIVE',
      policies: [],
      held: { reason: 'revoked' },
      told: ['registration.held'],
      failed: 0,
    },
    async begin(platform, run) {
      const device = await issue(await authorityOf(platform), unique(`revoked${run}`));
      await platform.revokeByList(device);
      return { act: () => announce(platform, device), outcome: () => outcomeOf(platform, device) };
    },
  },
];
