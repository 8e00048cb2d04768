/** Leaks on purpose: the watch over secrets, which judges every test run, finds each of them and says where it is. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { bytes, kmsClient } from '../support/kms.ts';
import { startRuntime } from '../support/runtime.ts';
import { describeLeaks, findLeaks, folders, type Leak } from '../support/secrets/leaks.ts';
import { FOLDER_VARIABLE } from '../support/secrets/notes.ts';
import { Assembly } from './lambda-fixture.ts';

/** The folder of a watch of its own: what is planted here must not fail the run. */
const folder = mkdtempSync(path.join(tmpdir(), 'planted-'));
const env = { [FOLDER_VARIABLE]: folder };

function leaks(): readonly string[] {
  return [...new Set(findLeaks(folder).map(({ slot, place }: Leak) => `${slot} in ${place}`))];
}

/** Runs a program that starts another one with these words on its standard error. */
function leakBy(program: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(stderr);
}

describe('a function that throws its environment', () => {
  it('shows in its log and in the error document', async () => {
    // GIVEN
    const runtime = await new Assembly()
      .addFunction('careless', {
        code: 'exports.handler = async () => { throw new Error(JSON.stringify(process.env)); };',
      })
      .start({ env });
    try {
      const lambda = new LambdaClient(runtime.config);

      // WHEN
      const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'careless' }));
      await runtime.advance(0);

      // THEN
      const told = String(Payload?.transformToString());
      expect(leaks()).toEqual(
        expect.arrayContaining([
          'environment variable of a function in log of a function',
          'secret key of a session in log of a function',
          'session token in log of a function',
          'session token in error document of a function',
        ]),
      );
      // The report must not be a leak itself.
      const report = describeLeaks(findLeaks(folder));
      const { CANARY_SECRET, AWS_SECRET_ACCESS_KEY } = JSON.parse(JSON.parse(told).errorMessage);
      expect(report).toContain('session token');
      expect(report).not.toContain(CANARY_SECRET);
      expect(report).not.toContain(AWS_SECRET_ACCESS_KEY);
    } finally {
      await runtime.stop();
    }
  });
});

describe('a secret of the account', () => {
  it('shows in a message and in an error answer', async () => {
    const runtime = await startRuntime({ env });
    try {
      const kms = kmsClient(runtime);
      const { KeyMetadata } = await kms('CreateKey', {});
      const { KeyId } = Object(KeyMetadata);
      const { Plaintext } = await kms('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
      const sqs = new SQSClient(runtime.config);
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'barn' }));
      const MessageBody = `failed with ${bytes(Plaintext).toString('hex')}`;
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      const { secretAccessKey } = runtime.config.credentials;
      await expect(kms('DescribeKey', { KeyId: secretAccessKey })).rejects.toThrow();

      expect(leaks()).toEqual(
        expect.arrayContaining([
          'plaintext data key in message in a queue',
          'secret access key of a user in error answer',
        ]),
      );
    } finally {
      await runtime.stop();
    }
  });
});

describe('a private key', () => {
  const makeKey = `
    import { generateKeyPairSync } from 'node:crypto';
    import { spawnSync } from 'node:child_process';
    import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  `;

  it('shows in what a process says when it dies, and in its arguments', () => {
    leakBy(`${makeKey}
      spawnSync(process.execPath, ['-e', 'throw new Error(process.argv[1])', pem]);`);

    expect(leaks()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^private key in standard error of .*node$/),
        expect.stringMatching(/^private key in arguments of .*node$/),
      ]),
    );
  });

  it('may be in a key file of its owner, and in no other file, even after that was removed', () => {
    const temporary = path.join(folder, folders.temporary);
    mkdirSync(temporary, { recursive: true });
    writeFileSync(path.join(temporary, 'notes.txt'), 'nothing');
    leakBy(`${makeKey}
      const folder = ${JSON.stringify(path.join(temporary, 'device'))};
      mkdirSync(folder);
      writeFileSync(folder + '/good.key', pem, { mode: 0o600 });
      writeFileSync(folder + '/open.key', pem, { mode: 0o644 });
      writeFileSync(folder + '/device.json', JSON.stringify({ key: pem }), { mode: 0o600 });
      rmSync(folder, { recursive: true });`);

    const found = leaks().filter((each) => each.startsWith('private key in file'));
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/open\.key, which is not its owner's alone$/),
        expect.stringMatching(/device\.json$/),
      ]),
    );
    expect(found).toHaveLength(2);
  });
});
