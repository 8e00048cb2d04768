/** A device says, over a connection with its new certificate, that it works. */
import { X509Certificate } from 'node:crypto';
import { expiryDay } from '@thingstead/contracts/registration';
import { type Ports, type Refused, refused } from './ports.ts';

const MAX_ATTEMPTS = 5;

type Confirmed = { readonly ok: true } | Refused;

/**
 * Gives the name to the certificate of the connection, and retires those before it. It may be cut off anywhere and repeated: the name moves
 * first; the request goes last, so that a repetition knows what is still to be done. Certificates that were
 * asked for after this one stay: the device may be on its way to them.
 */
export async function confirm(thing: string, certificateId: string, ports: Ports): Promise<Confirmed> {
  const { records, registry, reports, now } = ports;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const claim = await records.claim(thing);
    if (!claim) return refused('refused', 'no certificate has the name of the thing');
    const row = await records.renewal(thing);
    const requests = row?.requests ?? [];
    const at = requests.findIndex(({ issued }) => issued?.certificateId === certificateId);
    if (!row || at === -1) {
      const isDone = claim.certificateId === certificateId && !requests.some(({ issued }) => issued);
      return isDone ? { ok: true } : refused('not-the-new-one', 'this connection is not with a new certificate');
    }
    if (claim.certificateId !== certificateId) {
      // A connection with it just said so; AWS IoT knows it.
      const pem = requests[at]?.issued?.certificate ?? '';
      const notAfter = new X509Certificate(pem).validToDate.getTime();
      const to = { thing, certificateId, claimedAt: now(), notAfter, expiresOn: expiryDay(notAfter) };
      if (!(await records.moveClaim(claim.certificateId, to))) continue;
    }
    const later = requests.slice(at + 1);
    const stay = new Set([certificateId, ...later.flatMap(({ issued }) => issued?.certificateId ?? [])]);
    const retired = await retire(thing, stay, registry);
    if (!(await records.putRenewal({ ...row, requests: later }))) continue;
    reports.confirmed({ thing, certificateId, retired });
    return { ok: true };
  }
  return refused('busy', 'several requests of this thing change the same row; ask again', true);
}

/** Sets all others INACTIVE that are ACTIVE. They stay attached: `device show` tells the history, and none of them registers anew. */
async function retire(thing: string, stay: ReadonlySet<string>, registry: Ports['registry']): Promise<string[]> {
  const ids = (await registry.principalsOf(thing)).flatMap((arn) => /:cert\/([0-9a-f]{64})$/.exec(arn)?.[1] ?? []);
  const retired: string[] = [];
  for (const id of ids) {
    if (stay.has(id) || (await registry.certificate(id))?.status !== 'ACTIVE') continue;
    await registry.setStatus(id, 'INACTIVE');
    retired.push(id);
  }
  return retired;
}
