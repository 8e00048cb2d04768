/** The tarball that goes to a device: made twice, unpacked elsewhere, installed into an image, and run with nothing else. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  type Dirent,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { createCa, issue, writeFiles } from '../../support/certificates.ts';
import { type NotifySocket, openNotifySocket } from '../../support/notify-socket.ts';
import { startPlatform } from '../../support/platform.ts';
import { describeWithTools } from '../../support/tools.ts';
import { unique } from '../../support/unique-name.ts';

const root = path.resolve(__dirname, '../../..');
const platform = `${process.platform}-${process.arch}`;
/** What docs/agent-install.md says of the unit. */
const EXPOSURE = 1.2;

let folder: string;
/** The tree as a device has it. */
let tree: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-package-'));
  const archive = makePackage('first');
  mkdirSync(path.join(folder, 'device'));
  execFileSync('tar', ['-xzf', archive, '-C', path.join(folder, 'device')]);
  tree = path.join(folder, 'device', path.basename(archive, '.tar.gz'));
  execFileSync('chmod', ['-R', 'a-w', tree]);
});
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the script from elsewhere with another umask, as two people would. */
function makePackage(out: string, umask = '022', ...more: readonly string[]): string {
  const script = path.join(root, 'scripts/package-agent.ts');
  const command = `umask ${umask}; exec "$0" "$@"`;
  const options = ['--platform', platform, '--out', path.join(folder, out), ...more];
  const args = ['-c', command, process.execPath, script, ...options];
  return execFileSync('sh', args, { cwd: folder, encoding: 'utf8' }).trim();
}

function filesBelow(top: string): readonly string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name))
    .sort();
}

function digest(top: string): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(top)) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

describe('the tarball of the agent', () => {
  it('has the same bytes when it is made again', () => {
    // Without Node.js, which is copied as it is and takes seconds to compress.
    const before = makePackage('before', '022', '--without-node');
    const again = makePackage('again', '077', '--without-node');

    const sum = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(sum(again)).toBe(sum(before));
    expect(readFileSync(`${again}.sha256`, 'utf8')).toBe(`${sum(again)}  ${path.basename(again)}\n`);
  });

  it('holds one native part, and nothing of the machine or the network where it was made', () => {
    const files = filesBelow(tree);
    // The licence of Node.js quotes where npm comes from.
    const ours = files.filter((file) => !/\.node$|bin\/node$|licences\//.test(file));
    const texts = ours.map((file) => readFileSync(file, 'utf8'));

    expect(files.filter((file) => file.endsWith('.node'))).toHaveLength(1);
    expect(files.filter((file) => /typescript|node_modules/.test(file))).toEqual([]);
    for (const text of texts) {
      expect(text).not.toContain(root);
      expect(text).not.toMatch(/registry\.npm|_authToken|"resolved"/);
    }
    expect(readFileSync(path.join(tree, 'licences/LIST.txt'), 'utf8')).toMatch(/^aws-crt [\d.]+: Apache-2.0$/m);
  });
});

describe('install.sh', () => {
  const install = (...args: readonly string[]) =>
    spawnSync(path.join(tree, 'install.sh'), args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin:/usr/sbin' } });

  it('puts everything into an image; again it upgrades and keeps the configuration; --remove leaves that, --purge nothing', () => {
    const image = path.join(folder, 'image');
    mkdirSync(image);
    const made = install('--root', image);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    for (const needed of ['useradd', 'chgrp', 'enable']) expect(made.stdout).toContain(needed);
    const configuration = path.join(image, 'etc/thingstead/agent.json');
    writeFileSync(configuration, '{}');

    expect(install('--root', image)).toMatchObject({ status: 0, stderr: '' });
    const current = path.join(image, 'opt/thingstead-agent/current');
    expect(readlinkSync(current)).toBe(path.basename(tree));
    expect(execFileSync(path.join(current, 'bin/thingstead-agent'), ['version'], { encoding: 'utf8' })).toMatch(/^\d/);
    expect(existsSync(path.join(image, 'etc/systemd/system/thingstead-agent.service'))).toBe(true);
    expect(readFileSync(configuration, 'utf8')).toBe('{}');

    expect(install('--root', image, '--remove')).toMatchObject({ status: 0 });
    expect(filesBelow(image)).toEqual([configuration]);
    expect(install('--root', image, '--remove', '--purge')).toMatchObject({ status: 0 });
    expect(filesBelow(image)).toEqual([]);
  });

  it('puts there what the user of the agent can read, whatever the umask', () => {
    const [own, image] = ['strict', 'strict-image'].map((name) => path.join(folder, name)) as [string, string];
    for (const each of [own, image]) mkdirSync(each);
    const name = path.basename(tree);
    const script =
      'umask 077; tar -xzf "$1" --no-same-permissions --exclude=node -C "$2"; exec "$2/$3/install.sh" --root "$4"';
    const archive = path.join(folder, 'first', `${name}.tar.gz`);

    execFileSync('sh', ['-euc', script, 'sh', archive, own, name, image], { env: { PATH: '/usr/bin:/bin' } });

    const opt = path.join(image, 'opt');
    const found = readdirSync(opt, { recursive: true, withFileTypes: true }).filter((each) => !each.isSymbolicLink());
    const needed = (each: Dirent): number => (each.isDirectory() || each.name === 'thingstead-agent' ? 0o5 : 0o4);
    const closed = found.filter(
      (each) => (statSync(path.join(each.parentPath, each.name)).mode & needed(each)) !== needed(each),
    );
    expect(found.length).toBeGreaterThan(10);
    expect(closed).toEqual([]);
  });

  it('says with --dry-run what it would do, and does nothing', () => {
    const image = path.join(folder, 'untouched');
    mkdirSync(image);

    const { status, stdout } = install('--dry-run', '--root', image);

    expect(status).toBe(0);
    expect(stdout).toContain('would run: cp -R');
    expect(readdirSync(image)).toEqual([]);
  });

  it('refuses an option that it does not know', () => {
    expect(install('--prefix')).toMatchObject({ status: 64, stderr: expect.stringContaining('usage:') });
  });
});

describeWithTools(['systemd-analyze'], 'the systemd unit', () => {
  /** The unit with the program where it is now: systemd looks whether it is there. */
  function unit(): string {
    const file = path.join(folder, 'thingstead-agent.service');
    const text = readFileSync(path.join(tree, 'systemd/thingstead-agent.service'), 'utf8');
    writeFileSync(file, text.replace('/opt/thingstead-agent/current', tree));
    return file;
  }

  it('is understood by systemd to the last line', () => {
    const { status, stderr, stdout } = spawnSync('systemd-analyze', ['verify', unit()], { encoding: 'utf8' });

    expect({ status, said: stdout + stderr.replace(/^.*machine-id.*\n/gm, '') }).toEqual({ status: 0, said: '' });
  });

  it(`is exposed no more than ${EXPOSURE}`, () => {
    const threshold = String(Math.round(EXPOSURE * 10));
    const args = ['security', '--offline=yes', '--no-pager', `--threshold=${threshold}`, unit()];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });

    expect(Number(/Overall exposure level .*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(EXPOSURE);
    expect(status).toBe(0);
  });
});

describeWithTools(['systemd-notify', 'python3'], 'the agent from the tarball', () => {
  let agent: AgentProcess | undefined;
  let socket: NotifySocket | undefined;

  afterEach(async () => {
    agent?.process.kill('SIGKILL');
    await agent?.exited;
    await socket?.close();
  });

  it('joins and sends with its own Node.js, under the options of the unit, and writes into its state directory only', async () => {
    const cloud = await startPlatform();
    try {
      const ca = await createCa(unique('package'));
      await cloud.registerCa(ca);
      const device = await issue(ca, unique('macdonald-package1'));
      const { cert, key } = writeFiles(device);
      const { host, port, rootCaFile } = cloud.mqtt;
      const file = path.join(path.dirname(cert), 'agent.json');
      writeFileSync(
        file,
        JSON.stringify({
          thing: device.thing,
          endpoint: { host, port },
          certificateFile: cert,
          privateKeyFile: key,
          rootCaFile,
          sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 0.1 }],
          publish: { intervalSeconds: 0.3 },
          reconnect: { baseSeconds: 0.2 },
        }),
      );
      const before = digest(tree);
      const state = path.join(folder, 'state');
      mkdirSync(state);
      const options = /^Environment=NODE_OPTIONS=(.*)$/m.exec(
        readFileSync(path.join(tree, 'systemd/thingstead-agent.service'), 'utf8'),
      );
      socket = await openNotifySocket(3_000);

      agent = startAgentProcess(['--config', file, 'run'], {
        program: [path.join(tree, 'bin/thingstead-agent')],
        cwd: '/',
        environment: {
          ...socket.environment,
          PATH: '/usr/bin:/bin',
          NODE_PATH: '',
          NODE_OPTIONS: options?.[1] ?? '',
          STATE_DIRECTORY: state,
        },
      });
      await agent.seen('telemetry.published');
      const { STATUS } = await socket.receives((each) => each.STATUS?.startsWith('connected') === true);
      agent.process.kill('SIGTERM');

      expect((await agent.exited).code).toBe(0);
      expect(STATUS).toMatch(/^connected, \d+ readings wait$/);
      expect(options?.[1]).toBe('--jitless');
      expect(digest(tree)).toBe(before);
      expect(readdirSync(state)).toEqual([device.thing]);
    } finally {
      await cloud.stop();
    }
  });
});
