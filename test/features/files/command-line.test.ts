/** Files by the command line: to a device, from it, cut off on the way, and decrypted by AWS's own library. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { KMS, KmsKeyringNode } from '@aws-crypto/kms-keyring-node';
import { CommitmentPolicy } from '@aws-crypto/material-management-node';
import { PART_BYTES } from '@thingstead/contracts/files';
import { getFile } from '../../../cli/src/files/get-file.ts';
import type { Progress } from '../../../cli/src/files/progress.ts';
import { sendFile } from '../../../cli/src/files/send-file.ts';
import { commandLine } from '../../support/command-line.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { decrypt, filesPlatform, newTransfer } from './files-platform.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-files-'));
const cache = path.join(folder, 'thingstead', 'files');

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describeLocally('the endpoints file', 'files by the command line', () => {
  let platform: Platform;
  let thingstead: ReturnType<typeof commandLine>;
  let on: Awaited<ReturnType<typeof filesPlatform>>;
  let mary: Person;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await filesPlatform(platform);
    mary = await newPerson(platform);
    thingstead = commandLine(platform, folder);
  });
  afterAll(async () => {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]) => thingstead('files', ...args, '--as', mary.email);

  async function owned() {
    const device = await on.thing();
    await on.grant(mary, device.thing, 'owner');
    return { device, thing: device.thing };
  }

  function fileOf(content: Buffer, name = 'settings.json'): string {
    const file = path.join(mkdtempSync(path.join(folder, 'f-')), name);
    writeFileSync(file, content);
    return file;
  }

  it('are put, listed, followed and removed', async () => {
    const { device, thing } = await owned();
    const content = randomBytes(70_000);

    const put = await run('put', thing, fileOf(content));

    expect(put).toMatchObject({ status: 0, rows: [{ name: 'settings.json', size: content.length, state: 'STORED' }] });
    const [{ id }] = put.rows;
    expect(readdirSync(cache)).toEqual([]);
    expect((await run('ls', thing, '--direction', 'to-device')).rows).toEqual([expect.objectContaining({ id })]);
    expect((await run('ls', thing, '--state', 'FAILED')).rows).toEqual([]);
    const camera = await on.connect(device);
    await camera.say('pending', { type: 'pending' });
    await camera.hears(id, 'offer');
    const { url, dataKey } = await camera.gets(id, { type: 'download' });
    const got = await decrypt(Buffer.from(await (await fetch(url)).arrayBuffer()), dataKey);
    expect(hash(got)).toBe(hash(content));
    await camera.gets(id, { type: 'received', size: content.length });
    expect(await run('watch', thing, id)).toMatchObject({ status: 0, rows: [{ state: 'DELIVERED' }] });
    const [{ id: other }] = (await run('put', thing, fileOf(content, 'other.json'))).rows;
    expect(await run('rm', thing, other)).toMatchObject({ status: 0, rows: [{ state: 'CANCELLED' }] });
    expect(await run('watch', thing, other)).toMatchObject({ status: 5 });
    await camera.client.endAsync();
  });

  it('are fetched, and never over what is there', async () => {
    const { device, thing } = await owned();
    const camera = await on.connect(device);
    const content = randomBytes(100_000);
    const { transfer } = await camera.sends(content, newTransfer(), 'picture.jpg');
    const out = path.join(folder, 'picture.jpg');

    expect(await run('get', thing, transfer, '--out', out)).toMatchObject({ status: 0, rows: [{ file: out }] });

    expect(hash(readFileSync(out))).toBe(hash(content));
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readdirSync(cache)).toEqual([]);
    const again = await run('get', thing, transfer, '--out', out);
    expect(again).toMatchObject({ status: 5, stderr: expect.stringContaining('never overwritten') });
    expect((await run('get', thing, newTransfer(), '--out', `${out}2`)).status).toBe(4);
    await camera.client.endAsync();
  });

  it('that were kept encrypted any AWS Encryption SDK decrypts with the KMS key', async () => {
    const { device, thing } = await owned();
    const camera = await on.connect(device);
    const content = randomBytes(100_000);
    const { transfer } = await camera.sends(content);
    const kept = path.join(folder, 'kept.enc');
    await run('get', thing, transfer, '--out', path.join(folder, 'plain'), '--keep-encrypted', kept);

    const { dataKey } = await mary.api.downloadFile({ params: { thing, transfer } });
    // The types of the keyring and of the client differ in what may be undefined.
    const clientProvider = (() => new KMS(platform.config)) as never;
    const keyring = new KmsKeyringNode({ keyIds: [dataKey.keyArn], clientProvider });
    const { decrypt: decryptAnywhere } = buildDecrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const { plaintext, messageHeader } = await decryptAnywhere(keyring, readFileSync(kept));

    expect(hash(plaintext)).toBe(hash(content));
    expect(messageHeader.encryptionContext).toEqual(dataKey.context);
    expect(dataKey.context).toMatchObject({ 'thingstead:thing': thing, 'thingstead:transfer': transfer });
    await camera.client.endAsync();
  });

  /** Ends it once it has come so far. */
  function interruptedAt(what: string, bytes: number) {
    const interruption = new AbortController();
    const progress: Progress = {
      at: (now, done) => void (now === what && done >= bytes && interruption.abort()),
      stop() {},
    };
    return { progress, signal: interruption.signal };
  }
  const quiet: Progress = { at() {}, stop() {} };

  it('that are cut off go on where they were: nothing that is stored goes twice', async () => {
    const { thing } = await owned();
    const content = randomBytes(3 * PART_BYTES);
    const file = fileOf(content);
    const sent: number[] = [];
    const api = {
      ...mary.api,
      sendParts: (request: Parameters<typeof mary.api.sendParts>[0]) => {
        sent.push(...request.body.parts.map(({ number }) => number));
        return mary.api.sendParts(request);
      },
    };
    const options = { api, deployment: 'here', thing, file };

    await expect(sendFile({ ...options, ...interruptedAt('sending', 2 * PART_BYTES) })).rejects.toThrow('interrupted');
    const { signal } = new AbortController();
    const transfer = await sendFile({ ...options, progress: quiet, signal });

    expect(transfer).toMatchObject({ state: 'STORED', size: content.length });
    // Two parts and the URLs that came with them; then what was missing.
    expect(sent).toEqual([1, 2, 3, 4]);
    const params = { thing, transfer: transfer.id };
    const get = { api: mary.api, deployment: 'here', ...params, out: path.join(folder, 'large') };
    await expect(getFile({ ...get, ...interruptedAt('fetching', PART_BYTES) })).rejects.toThrow('interrupted');
    const [begun = ''] = readdirSync(cache);
    expect(statSync(path.join(cache, begun)).size).toBeGreaterThan(0);
    expect(existsSync(get.out)).toBe(false);
    await getFile({ ...get, progress: quiet, signal });
    expect(hash(readFileSync(get.out))).toBe(hash(content));
    expect(readdirSync(cache)).toEqual([]);
  });

  it('that came changed are thrown away', async () => {
    const { device, thing } = await owned();
    const camera = await on.connect(device);
    const { transfer, encrypted } = await camera.sends(randomBytes(1000));
    const out = path.join(folder, 'changed');
    const granted = (change: (grant: Awaited<ReturnType<typeof mary.api.downloadFile>>) => unknown) => ({
      ...mary.api,
      async downloadFile(request: Parameters<typeof mary.api.downloadFile>[0]) {
        const grant = await mary.api.downloadFile(request);
        return { ...grant, ...((await change(grant)) as object) };
      },
    });
    const get = (api: typeof mary.api) =>
      getFile({
        api,
        deployment: 'there',
        thing,
        transfer,
        out,
        progress: quiet,
        signal: new AbortController().signal,
      });

    const other = granted(() => ({ sha256: createHash('sha256').update('other').digest('base64') }));
    await expect(get(other)).rejects.toThrow('its SHA-256 is another one');
    // Between the grant and the download: it is no more what was granted.
    const replaced = granted(() => on.replaceObject(thing, transfer, Buffer.concat([encrypted, Buffer.from('x')])));
    await expect(get(replaced)).rejects.toThrow(/^S3 answered 4(12|04)/);

    expect(existsSync(out)).toBe(false);
    expect(readdirSync(cache)).toEqual([]);
    await camera.client.endAsync();
  });
});
