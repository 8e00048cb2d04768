/** Archives that must not be unpacked, and the installers that call tools of the system: here stand-ins that note how they are called. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../device/src/clock.ts';
import { nodeFirmwareFileSystem as fs } from '../../device/src/firmware/node-firmware-file-system.ts';
import type { Installer } from '../../device/src/installers/installer.ts';
import { Rauc } from '../../device/src/installers/rauc.ts';
import { toolRunner } from '../../device/src/installers/run-tool.ts';
import { unpackImage, verifyTree } from '../../device/src/installers/slot-tree.ts';
import { Tryboot } from '../../device/src/installers/tryboot.ts';
import { type PackedFile, sha256, tar } from './firmware-image.ts';

let folder: string;
const file = (name: string): string => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-installers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ATTEMPT = '01J00000000000000000000001';
const signal = new AbortController().signal;

describe('an archive', () => {
  function unpack(content: Buffer, of = content, maxBytes = 10_000) {
    writeFileSync(file('image'), content);
    const about = { file: file('image'), size: content.length, sha256: sha256(of) };
    return unpackImage(fs, about, file('slot'), maxBytes, signal);
  }
  const program: PackedFile = { name: 'app/bin/run', data: 'x'.repeat(1_500), executable: true };

  it('is unpacked without the folder at its top, read back, and found out when it was changed since', async () => {
    const written = await unpack(
      gzipSync(
        tar([
          { name: './', type: '5' },
          { name: './bin/', type: '5' },
          { ...program, name: './bin/run' },
        ]),
      ),
    );
    verifyTree(fs, file('slot'), written);
    expect(fs.entry(file('slot/bin/run'))).toEqual({ kind: 'file', size: 1_500, executable: true });

    writeFileSync(file('slot/bin/run'), 'y'.repeat(1_500));
    expect(() => verifyTree(fs, file('slot'), written)).toThrow('reads back as something else');
    writeFileSync(file('slot/bin/run'), 'x'.repeat(1_500));
    writeFileSync(file('slot/more'), '');
    expect(() => verifyTree(fs, file('slot'), written)).toThrow('more was not to be there');
    rmSync(file('slot'), { recursive: true });
    mkdirSync(file('slot'));
    expect(() => verifyTree(fs, file('slot'), written)).toThrow('is missing');
  });

  const names = ['/etc/passwd', '../x', 'app/../../x', 'app//x', 'app/./x', 'app', 'app/..', ''];
  it.each<[string, readonly PackedFile[], string]>([
    ...names.map((name): [string, PackedFile[], string] => [
      `${name} in it`,
      [{ ...program, name }],
      'is no name of a file',
    ]),
    ['a symbolic link', [{ name: 'app/x', type: '2', linkTo: '/etc' }], 'neither a file nor a folder'],
    ['a hard link', [{ name: 'app/x', type: '1', linkTo: 'app/y' }], 'neither a file nor a folder'],
    ['a device', [{ name: 'app/x', type: '3' }], 'neither a file nor a folder'],
    ['a long name of GNU', [{ name: '././@LongLink', type: 'L', data: 'x' }], 'neither a file nor a folder'],
    ['extended headers', [{ name: 'app/x', type: 'x', data: '11 path=/x\n' }], 'neither a file nor a folder'],
    ['a file twice', [program, program], 'is there twice'],
    ['a file that is a folder too', [{ name: 'app/x' }, { name: 'app/x/y' }], 'is a file and a folder'],
    ['folders without end', [{ name: `app${'/x'.repeat(40)}` }], 'folders are deeper'],
    ['more than it may hold', [{ name: 'app/x', data: 'x'.repeat(20_000) }], 'holds more than 10000 bytes'],
    ['a size that is not there', [{ ...program, size: 9_000 }], 'is cut off'],
  ])('with %s is refused', async (_name, files, words) => {
    await expect(unpack(gzipSync(tar(files)))).rejects.toThrow(words);
    expect(existsSync(file('x'))).toBe(false);
  });

  it('that is cut off, damaged, another one than was verified, or no archive is refused', async () => {
    const whole = tar([program]);
    await expect(unpack(gzipSync(whole.subarray(0, -1024)))).rejects.toThrow('is cut off');
    await expect(unpack(gzipSync(whole.subarray(0, 700)))).rejects.toThrow('is cut off');
    await expect(unpack(gzipSync(whole).subarray(0, -20))).rejects.toThrow('unexpected end of file');
    await expect(unpack(Buffer.from('no archive'))).rejects.toThrow('incorrect header check');
    await expect(unpack(gzipSync(Buffer.concat([whole, Buffer.from('x'.repeat(512))])))).rejects.toThrow(
      'behind the end',
    );
    const damaged = Buffer.from(whole);
    damaged[3] = 0x7a;
    await expect(unpack(gzipSync(damaged))).rejects.toThrow('damaged header');
    await expect(unpack(gzipSync(whole), gzipSync(tar([{ ...program, data: 'other' }])))).rejects.toThrow(
      'has changed since',
    );
  });
});

/** Programs that note how they are called; `body` is shell, with `$FOLDER`. */
function tool(name: string, body = ''): string {
  writeFileSync(file(name), `#!/bin/sh\nFOLDER='${folder}'\necho "${name} $*" >> "$FOLDER/calls"\n${body}\n`);
  chmodSync(file(name), 0o755);
  return file(name);
}
const calls = (): string[] => {
  const said = existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').trim().split('\n') : [];
  rmSync(file('calls'), { force: true });
  return said.filter((line) => line !== 'rauc status --output-format=json');
};
/** The machine starts again. */
const boot = (id: number): void => writeFileSync(file('boot_id'), `boot-${id}\n`);
const run = toolRunner(systemClock());
const picture = () => ({ file: file('image'), size: 1, sha256: '' });

describe('RAUC', () => {
  function rauc(booted: 'A' | 'B', primary: 'A' | 'B'): Installer {
    const slots = ['A', 'B'].map((each, index) => ({ [`rootfs.${index}`]: { state: 'inactive', bootname: each } }));
    const primaryName = primary === 'A' ? 'rootfs.0' : 'rootfs.1';
    writeFileSync(
      file('status.json'),
      JSON.stringify({ booted, boot_primary: primaryName, slots: [...slots, { 'data.0': { state: 'inactive' } }] }),
    );
    const program = tool('rauc', '[ "$2" != --output-format=json ] || cat "$FOLDER/status.json"');
    return new Rauc({ ...{ fs, folder, run, rauc: [program], reboot: [tool('reboot')] }, bootIdFile: file('boot_id') });
  }

  it('installs, is tried once, and is marked good', async () => {
    boot(1);
    const old = rauc('A', 'A');
    expect([await old.problem(), await old.running(), await old.isGood()]).toEqual([undefined, 'A', true]);
    expect(await old.install(picture(), signal)).toBe('B');
    expect(await old.trial('B', ATTEMPT)).toEqual({ kind: 'none' });
    await old.trySwitch('B', ATTEMPT);
    expect(await old.trial('B', ATTEMPT)).toEqual({ kind: 'pending' });
    await old.restart();
    expect(calls()).toEqual([`rauc install ${file('image')}`, 'rauc status mark-active other', 'reboot']);

    boot(2);
    const next = rauc('B', 'B');
    expect(await next.isGood()).toBe(false);
    await next.commit();
    expect(calls()).toEqual(['rauc status mark-good booted', 'rauc status mark-active booted']);
    expect(await next.isGood()).toBe(true);
  });

  it('is back on the old system when the new one did not start, and then says so', async () => {
    boot(1);
    await rauc('A', 'A').trySwitch('B', ATTEMPT);
    calls();
    boot(3);
    const old = rauc('A', 'A');
    expect(await old.trial('B', ATTEMPT)).toMatchObject({ kind: 'over', failure: 'does-not-start' });
    await old.rollBack('B', ATTEMPT, { failure: 'does-not-start', reason: 'words' });
    expect(calls()).toEqual(['rauc status mark-bad other', 'rauc status mark-active booted']);
    expect(await old.trial('B', ATTEMPT)).toEqual({ kind: 'over', failure: 'does-not-start', reason: 'words' });
  });

  it('must not activate what it installs by itself', async () => {
    boot(1);
    await expect(rauc('A', 'B').install(picture(), signal)).rejects.toThrow('activate-installed=false');
  });
});

describe('tryboot', () => {
  const text = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n';
  const autoboot = () => readFileSync(file('autoboot.txt'), 'utf8');
  function tryboot(partition: number): Installer {
    const four = Buffer.alloc(4);
    four.writeUInt32BE(partition);
    writeFileSync(file('partition'), four);
    return new Tryboot({
      ...{ fs, folder, run, autoboot: file('autoboot.txt'), write: [tool('write')], reboot: [tool('reboot')] },
      ...{ partitionFile: file('partition'), bootIdFile: file('boot_id') },
    });
  }

  it('writes the other partition, is tried once, and swaps the two', async () => {
    writeFileSync(file('autoboot.txt'), text);
    boot(1);
    const old = tryboot(2);
    expect([await old.problem(), await old.running(), await old.isGood()]).toEqual([undefined, '2', true]);
    expect(await old.install(picture(), signal)).toBe('3');
    await old.trySwitch('3', ATTEMPT);
    await old.restart();
    expect(calls()).toEqual([
      `write install ${file('image')} 3`,
      `write verify ${file('image')} 3`,
      'reboot 0 tryboot',
    ]);
    expect(autoboot()).toBe(text);

    boot(2);
    const next = tryboot(3);
    expect([await next.isGood(), await next.problem()]).toEqual([false, 'the system that runs is still on trial']);
    await next.commit();
    await next.commit();
    expect(autoboot()).toBe('[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2\n');
    expect(await next.isGood()).toBe(true);
  });

  it('goes back by an ordinary restart', async () => {
    writeFileSync(file('autoboot.txt'), text);
    boot(1);
    await tryboot(2).trySwitch('3', ATTEMPT);
    boot(2);
    const next = tryboot(3);
    await next.rollBack('3', ATTEMPT, { failure: 'unhealthy', reason: 'words' });
    await next.restart();
    expect(calls()).toEqual(['reboot']);
    boot(3);
    expect(await tryboot(2).trial('3', ATTEMPT)).toEqual({ kind: 'over', failure: 'unhealthy', reason: 'words' });
    expect(autoboot()).toBe(text);
  });

  it('takes no update where the partitions are not named', async () => {
    writeFileSync(file('autoboot.txt'), 'boot_partition=2\n');
    expect(await tryboot(2).problem()).toContain('does not name two partitions');
  });
});
