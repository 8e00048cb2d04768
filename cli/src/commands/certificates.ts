import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { CertificateWanted } from '@thingstead/contracts/certificates';
import { expiryDay } from '@thingstead/contracts/registration';
import { certificateTopic } from '@thingstead/contracts/topics';
import { positiveInteger, thingName } from '../arguments.ts';
import { DEFAULT_CA_DIR, readCa } from '../ca-folder.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { listPending, putIssued, putWanted, thingsExpiringOn } from '../renewal-rows.ts';
import { getThing } from '../things.ts';
import { certificateIdOf, certify } from '../x509.ts';

const DAY_MS = 86_400_000;

/** `certificates pending`: who waits for a certificate that an operator signs. */
export const addCertificatesPending: AddCommand = (certificates, bind) => {
  certificates
    .command('pending')
    .summary('things that wait for their next certificate')
    .action(
      bind(async ({ cloud, output }) => {
        const rows = (await listPending(cloud())).map(({ thing, request: { requestedAt, keyHash } }) => ({
          thing,
          since: new Date(requestedAt).toISOString(),
          keyHash,
        }));
        const columns = [
          { title: 'THING', value: (row: (typeof rows)[number]) => row.thing },
          { title: 'SINCE', value: (row: (typeof rows)[number]) => row.since.slice(0, 16), fixed: true },
          { title: 'KEY', value: (row: (typeof rows)[number]) => row.keyHash },
        ];
        output.table(columns, rows, 'Nobody waits.');
        if (rows.length > 0) output.next('thingstead certificates sign --ca NAME');
      }),
    );
};

interface SignOptions {
  readonly ca: string;
  readonly dir: string;
  readonly days: number;
}

/** `certificates sign`: signs the requests of these things, or of all that wait. */
export const addCertificatesSign: AddCommand = (certificates, bind) => {
  certificates
    .command('sign')
    .summary('signs the requests of these things, or all that wait; the devices get them when they ask again')
    .argument('[names...]', 'thing names')
    .requiredOption('--ca <name>', 'the CA that signs; it must be registered')
    .option('--dir <dir>', 'where CAs are kept', DEFAULT_CA_DIR)
    .option('--days <days>', 'how long the certificates are valid', positiveInteger, 365)
    .action(
      bind(async ({ cloud, output }, names: readonly string[], { ca, dir, days }: SignOptions) => {
        const pair = readCa(ca, dir);
        const pending = await listPending(cloud());
        const missing = names.filter((name) => !pending.some(({ thing }) => thing === name));
        if (missing.length > 0) {
          throw new CommandError('notFound', `Nobody waits by the name of ${missing.join(', ')}.`, {
            next: 'thingstead certificates pending',
          });
        }
        const rows: { thing: string; certificateId: string; until: string }[] = [];
        for (const { thing, request } of pending) {
          if (names.length > 0 && !names.includes(thing)) continue;
          const now = Date.now();
          const publicKey = Buffer.from(request.publicKey, 'base64');
          const certificate = await certify(pair, { commonName: thing, publicKey, days, now });
          const certificateId = certificateIdOf(certificate);
          const issued = { certificate, certificateId, caCertificateId: certificateIdOf(pair.certificate) };
          if (!(await putIssued(cloud(), thing, request.keyHash, issued))) continue;
          rows.push({ thing, certificateId, until: new Date(now + days * DAY_MS).toISOString() });
        }
        output.table(
          [
            { title: 'THING', value: (row) => row.thing },
            { title: 'UNTIL', value: (row) => row.until.slice(0, 10), fixed: true },
            { title: 'CERTIFICATE', value: (row) => row.certificateId },
          ],
          rows,
          'Nobody waits.',
        );
      }),
    );
};

/** `certificates expiring`: by the index of expiry days, so it costs one query a day. */
export const addCertificatesExpiring: AddCommand = (certificates, bind) => {
  certificates
    .command('expiring')
    .summary('things whose certificate expires soon, or did lately')
    .option('--days <days>', 'so far ahead', positiveInteger, 30)
    .option('--past <days>', 'and so far back', positiveInteger, 7)
    .action(
      bind(async ({ cloud, output }, { days, past }: { days: number; past: number }) => {
        const rows: { thing: string; expires: string }[] = [];
        for (let day = -past; day <= days; day += 1) {
          const expires = expiryDay(Date.now() + day * DAY_MS);
          rows.push(...(await thingsExpiringOn(cloud(), expires)).map((thing) => ({ thing, expires })));
        }
        output.table(
          [
            { title: 'EXPIRES', value: (row) => row.expires, fixed: true },
            { title: 'THING', value: (row) => row.thing },
          ],
          rows,
          `No certificate expires within ${days} days.`,
        );
      }),
    );
};

/** `certificates renew`: a thing gets a new certificate though its present one lives on. */
export const addCertificatesRenew: AddCommand = (certificates, bind) => {
  certificates
    .command('renew')
    .summary('has a thing make a new key and renew its certificate now, or when it connects')
    .argument('<name>', 'thing name', thingName)
    .action(
      bind(async ({ cloud, output }, name: string) => {
        const { thing } = await getThing(cloud(), name);
        const at = Date.now();
        await putWanted(cloud(), thing, at);
        const payload = Buffer.from(JSON.stringify({ at } satisfies CertificateWanted));
        const topic = `${certificateTopic(thing)}/wanted`;
        // Retained: a thing that is off hears it when it connects.
        await (await cloud().iotData()).send(new PublishCommand({ topic, qos: 1, retain: true, payload }));
        output.result({ thing, wantedAt: at }, `${thing} is asked to renew its certificate.`);
      }),
    );
};
