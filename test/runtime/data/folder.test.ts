/** `--data`: whose folder it is, what shape it is in, and what it refuses. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateQueueCommand, ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DataFolder, type Owner } from '../../../local/src/data/data-folder.ts';
import { LocalIam } from '../../../local/src/iam/local-iam.ts';
import { Kernel } from '../../../local/src/kernel/kernel.ts';
import { registerServices } from '../../../local/src/services/index.ts';
import { Stacks } from '../../../local/src/template/stacks.ts';
import { freePortOffset, startRuntime } from '../../support/runtime.ts';
import { KeptAccount } from './kept-account.ts';

/** An account with one queue, whose runtime has ended after each test. */
const account = new KeptAccount();
let owner: Owner;
/** What the runtime has written, in a folder of its own. */
let copy: string;

beforeAll(async () => {
  const { config, endpoints } = await account.start();
  await new SQSClient(config).send(new CreateQueueCommand({ QueueName: 'kept' }));
  await account.stop();
  const { accountId, region, awsEndpoint: endpoint } = endpoints;
  owner = { accountId, region, endpoint };
});

beforeEach(() => {
  copy = path.join(mkdtempSync(path.join(os.tmpdir(), 'thingstead-data-')), 'data');
  cpSync(account.folder, copy, { recursive: true });
});

afterEach(() => account.stop());

afterAll(() => account.remove());

/** Opens the copy and reads all of it, as a runtime does at its start. */
async function open(by: Owner = owner): Promise<void> {
  const folder = await DataFolder.open(copy, by);
  try {
    folder.load();
  } finally {
    folder.close();
  }
}

test('no service is forgotten: each says what it keeps, and the only one without state is STS', () => {
  const account = { region: 'us-east-1', accountId: '123456789012' };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  let iam: LocalIam | undefined;
  const kernel = new Kernel({ ...account, endpoint: 'http://127.0.0.1:1', log }, ({ clock }) => {
    iam = new LocalIam({ ...account, now: () => clock.now() });
    return iam;
  });
  const tls = { key: '', cert: '', rootCaFile: '' };
  const ports = { aws: 0, mqtt: 0, deviceHttps: 0, api: 0 };
  if (iam) registerServices(kernel, { iam, stacks: new Stacks(), host: '127.0.0.1', ports, tls });
  const without = kernel.services.filter(({ state }) => state === undefined).map(({ name }) => name);
  expect(kernel.services.length).toBeGreaterThan(10);
  expect(without).toEqual(['sts']);
});

test("folder and files are their owner's alone", async () => {
  await account.start();
  expect(statSync(account.folder).mode & 0o777).toBe(0o700);
  const files = readdirSync(account.folder).filter((name) => statSync(path.join(account.folder, name)).isFile());
  expect(files).toEqual(expect.arrayContaining(['pid', 'state.sqlite', 'state.sqlite-wal']));
  for (const name of files)
    expect([name, statSync(path.join(account.folder, name)).mode & 0o777]).toEqual([name, 0o600]);
});

test('two runtimes cannot share a folder; one that was killed leaves it free', async () => {
  const { endpoints } = await account.start();
  const second = startRuntime({ portOffset: await freePortOffset(), args: ['--data', account.folder] });
  await expect(second).rejects.toThrow(`in use by the runtime with process id ${endpoints.pid}`);
  await account.kill();
  const { config } = await account.start();
  expect((await new SQSClient(config).send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(1);
});

test.each([
  ['--account', { accountId: '999999999999' }],
  ['--region', { region: 'eu-west-1' }],
  // Addresses of queues carry the port.
  ['--port-offset', { endpoint: 'http://127.0.0.1:4567' }],
])('the state of another %s is refused, and stays as it is', async (option, other) => {
  const before = readFileSync(path.join(copy, 'state.sqlite'));
  await expect(open({ ...owner, ...other })).rejects.toThrow(`Set ${option} as it was`);
  expect(readFileSync(path.join(copy, 'state.sqlite')).equals(before)).toBe(true);
  await open();
});

test('the state of another version is refused with what to do', async () => {
  const database = new DatabaseSync(path.join(copy, 'state.sqlite'));
  database.exec("UPDATE stamp SET value = '0' WHERE name = 'format'");
  database.close();
  await expect(open()).rejects.toThrow(/has format 0; this version reads \d+. Use the version that wrote it/);
});

describe('a damaged file is refused, never read by half', () => {
  const cases: [string, (file: string) => void][] = [
    ['cut to nothing', (file) => truncateSync(file, 0)],
    ['cut short', (file) => truncateSync(file, statSync(file).size - 4096)],
    ['cut in the middle of a page', (file) => truncateSync(file, Math.floor(statSync(file).size / 2) + 1)],
    ['overwritten', (file) => writeFileSync(file, 'something else')],
    [
      'with one byte of a record changed',
      (file) => {
        const bytes = readFileSync(file);
        const at = bytes.lastIndexOf('lastModifiedAt');
        expect(at).toBeGreaterThan(0);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        writeFileSync(file, bytes);
      },
    ],
  ];
  test.each(cases)('%s', async (_, damage) => {
    damage(path.join(copy, 'state.sqlite'));
    await expect(open()).rejects.toThrow(/is damaged: .*Put back a copy of the folder, or remove it/);
  });
});

test('a log of changes that is torn loses its end, not its sense', async () => {
  const { config } = await account.start();
  const sqs = new SQSClient(config);
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  await sqs.send(new SendMessageCommand({ QueueUrl: QueueUrls[0], MessageBody: 'x'.repeat(100_000) }));
  await account.kill();
  const wal = path.join(account.folder, 'state.sqlite-wal');
  expect(existsSync(wal)).toBe(true);
  truncateSync(wal, statSync(wal).size - 100);
  appendFileSync(wal, 'torn');
  const again = await account.start();
  expect((await new SQSClient(again.config).send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(1);
});
