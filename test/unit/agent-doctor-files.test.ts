/** What the doctor says of the folders of files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseConfig } from '../../device/src/config.ts';
import { checkFiles } from '../../device/src/doctor/files-check.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-doctor-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function found(files?: object) {
  const identity = { certificateFile: 'c', privateKeyFile: 'k' };
  const config = { thing: 'barn1', endpoint: { host: 'x' }, sensors: [], ...identity, ...(files && { files }) };
  return checkFiles(parseConfig(config, 'agent.json'));
}

describe('the doctor on files', () => {
  it('says nothing without them, and that folders are good which the agent makes', () => {
    expect(found()).toEqual([]);
    const incoming = path.join(folder, 'a/in');
    expect(found({ incoming, minFreeBytes: 1 })).toEqual([
      { check: 'files-incoming', status: 'ok', message: incoming },
    ]);
  });

  it('warns of a folder that cannot be one, and of a full disk', () => {
    writeFileSync(path.join(folder, 'file'), '');
    const outgoing = path.join(folder, 'file', 'out');
    expect(found({ outgoing })).toMatchObject([{ check: 'files-outgoing', status: 'warn' }]);
    expect(found({ incoming: folder, minFreeBytes: 2 ** 52 })).toMatchObject([
      { check: 'files-incoming', status: 'warn', message: expect.stringContaining('bytes free') },
    ]);
  });
});
