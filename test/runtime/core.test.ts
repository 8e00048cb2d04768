/** The runtime as a process, and its AWS endpoint as clients of AWS see it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const root = path.resolve(__dirname, '../..');
let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime();
});
afterAll(() => runtime.stop());

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A request as it stands, with headers that `fetch` would not send. */
function send(url: string, headers: Readonly<Record<string, string>>, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** GetCallerIdentity, signed at `signingDate`, with `change` made to it afterwards. */
async function sendIdentity(
  signingDate: Date,
  change: (request: HttpRequest) => void = () => undefined,
): Promise<Answer> {
  const { hostname, port, host } = new URL(runtime.endpoints.awsEndpoint);
  const signer = new SignatureV4({ ...runtime.config, service: 'sts', sha256: Sha256 });
  const unsigned = new HttpRequest({
    method: 'POST',
    hostname,
    port: Number(port),
    path: '/',
    headers: { host, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  });
  const signed = (await signer.sign(unsigned, { signingDate })) as HttpRequest;
  change(signed);
  return send(runtime.endpoints.awsEndpoint, signed.headers, signed.method, signed.body);
}

describe('the AWS endpoint', () => {
  it('answers an unmodified client that signs with the operator keys', async () => {
    const sts = new STSClient(runtime.config);

    const identity = await sts.send(new GetCallerIdentityCommand({}));

    expect(identity).toMatchObject({ Arn: 'arn:aws:iam::123456789012:user/operator', Account: '123456789012' });
  });

  it('speaks HTTP/2 on the same port: the Kinesis client speaks nothing else', async () => {
    const kinesis = new KinesisClient(runtime.config);

    const { StreamNames } = await kinesis.send(new ListStreamsCommand({}));
    kinesis.destroy();

    expect(StreamNames).toEqual([]);
  });

  it('names an operation that it does not emulate', async () => {
    const sts = new STSClient(runtime.config);

    await expect(sts.send(new GetSessionTokenCommand({}))).rejects.toThrow('does not emulate sts:GetSessionToken');
  });

  it('names a service that it does not emulate, in the words of its protocol', async () => {
    const headers = { 'x-amz-target': 'Lunar_20990101.Launch', 'content-type': 'application/x-amz-json-1.1' };
    const signer = new SignatureV4({ ...runtime.config, service: 'lunar', sha256: Sha256 });
    const { hostname, host, port } = new URL(runtime.endpoints.awsEndpoint);
    const unsigned = new HttpRequest({
      method: 'POST',
      hostname,
      port: Number(port),
      headers: { ...headers, host },
      body: '{}',
    });
    const signed = await signer.sign(unsigned);

    const { status, body } = await send(runtime.endpoints.awsEndpoint, signed.headers, 'POST', '{}');

    expect(status).toBe(501);
    expect(JSON.parse(body)).toEqual({ __type: 'NotEmulated', message: expect.stringContaining('lunar:Launch') });
  });

  it('refuses a request without a signature', async () => {
    const { status, body } = await send(runtime.endpoints.awsEndpoint, {
      'x-amz-target': 'DynamoDB_20120810.ListTables',
    });

    expect(status).toBe(403);
    expect(body).toContain('MissingAuthenticationTokenException');
  });

  it('refuses unknown keys and wrong secrets with the codes of each protocol', async () => {
    const { accessKeyId, secretAccessKey } = runtime.config.credentials;
    const unknown = { ...runtime.config, credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey } };
    const wrong = { ...runtime.config, credentials: { accessKeyId, secretAccessKey: 'wrong' } };

    await expect(new DynamoDBClient(unknown).send(new ListTablesCommand({}))).rejects.toThrow(
      expect.objectContaining({ name: 'UnrecognizedClientException' }),
    );
    await expect(new STSClient(unknown).send(new GetCallerIdentityCommand({}))).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidClientTokenId' }),
    );
    await expect(new DynamoDBClient(wrong).send(new ListTablesCommand({}))).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidSignatureException' }),
    );
    await expect(new STSClient(wrong).send(new GetCallerIdentityCommand({}))).rejects.toThrow(
      expect.objectContaining({ name: 'SignatureDoesNotMatch' }),
    );
  });

  it('refuses a request that was changed after it was signed', async () => {
    const changes: ((request: HttpRequest) => void)[] = [
      (request) => {
        request.body = 'Action=GetCallerIdentity&Version=2011-06-15&Extra=1';
      },
      (request) => {
        request.headers['content-type'] = 'application/x-www-form-urlencoded; charset=utf-8';
      },
      (request) => {
        request.headers['x-amz-extra'] = '1';
      },
    ];

    expect((await sendIdentity(new Date())).status).toBe(200);
    for (const change of changes) {
      expect(await sendIdentity(new Date(), change)).toMatchObject({
        status: expect.any(Number),
        body: expect.stringMatching(/<Code>(SignatureDoesNotMatch|XAmzContentSHA256Mismatch)</),
      });
    }
  });

  it('refuses a request signed sixteen minutes ago, and one for another region', async () => {
    const old = await sendIdentity(new Date(Date.now() - 16 * 60_000));

    expect(old.body).toContain('Signature expired');
    await expect(
      new DynamoDBClient({ ...runtime.config, region: 'eu-west-1' }).send(new ListTablesCommand({})),
    ).rejects.toThrow('this runtime is us-east-1, the request is for eu-west-1');
  });

  it('tells the user of an expired session so, and wants the session token', async () => {
    const iam = new IAMClient(runtime.config);
    const trust = {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { AWS: '123456789012' }, Action: 'sts:AssumeRole' },
    };
    await iam.send(new CreateRoleCommand({ RoleName: 'short', AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const { Credentials } = await new STSClient(runtime.config).send(
      new AssumeRoleCommand({
        RoleArn: 'arn:aws:iam::123456789012:role/short',
        RoleSessionName: 'me',
        DurationSeconds: 900,
      }),
    );
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const session = new STSClient({ ...runtime.config, credentials });
    const { Arn } = await session.send(new GetCallerIdentityCommand({}));
    const { sessionToken: _left, ...incomplete } = credentials;
    const withoutToken = new STSClient({ ...runtime.config, credentials: incomplete });

    expect(Arn).toBe('arn:aws:sts::123456789012:assumed-role/short/me');
    await expect(withoutToken.send(new GetCallerIdentityCommand({}))).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidClientTokenId' }),
    );
    await runtime.advance(901);
    await expect(session.send(new GetCallerIdentityCommand({}))).rejects.toThrow(
      expect.objectContaining({ name: 'ExpiredToken' }),
    );
  });
});

describe('the control routes', () => {
  const control = (route: string) => `${runtime.endpoints.awsEndpoint}/_local/${route}`;

  it('advance the time', async () => {
    const before = JSON.parse((await send(control('health'), {})).body);

    await runtime.advance(3600);

    const after = JSON.parse((await send(control('health'), {})).body);
    expect(after.status).toBe('ready');
    expect(Date.parse(after.now) - Date.parse(before.now)).toBeGreaterThanOrEqual(3_600_000);
  });

  it('reset the account, not the operator keys', async () => {
    const iam = new IAMClient(runtime.config);
    await iam.send(
      new CreateRoleCommand({
        RoleName: 'gone',
        AssumeRolePolicyDocument:
          '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}',
      }),
    );

    await runtime.reset();

    expect((await iam.send(new ListRolesCommand({}))).Roles).toEqual([]);
  });

  it('answer neither web pages nor foreign names of this machine', async () => {
    expect((await send(control('reset'), { host: 'evil.example' }, 'POST')).status).toBe(403);
    expect((await send(control('reset'), { origin: 'http://localhost:3000' }, 'POST')).status).toBe(403);
  });

  it('refuse nonsense and what is not there, by name', async () => {
    expect(await send(control('clock'), {}, 'POST', '{"advanceSeconds":-1}')).toMatchObject({ status: 400 });
    expect(await send(control('meter?fleet=none'), {})).toMatchObject({ status: 400 });
    expect(await send(control('moon'), {})).toMatchObject({ status: 404 });
  });
});

describe('the process', () => {
  function run(...args: readonly string[]) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-core-'));
    const endpoints = ['--endpoints', path.join(folder, 'endpoints.json')];
    const result = spawnSync(process.execPath, [path.join(root, 'local/src/main.ts'), ...endpoints, ...args], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    rmSync(folder, { recursive: true });
    return result;
  }

  it('keeps the file with the operator keys from others, and takes it away at the end', async () => {
    const other = await startRuntime();

    expect(statSync(other.endpointsFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(other.endpoints.rootCaFile, 'utf8')).toContain('BEGIN CERTIFICATE');
    await other.stop();
    expect(await other.exited).toBe(0);
    expect(existsSync(other.endpointsFile)).toBe(false);
  });

  it('says which port is taken, and what to do', () => {
    const offset = Number(new URL(runtime.endpoints.awsEndpoint).port) - 4566;

    const { status, stderr } = run('--port-offset', String(offset));

    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`Port ${4566 + offset} is in use.*--port-offset`));
  });

  it.each([
    [['--account', '12'], /--account is 12; an account id has 12 digits/],
    [['--port-offset', '-1'], /--port-offset/],
    [['--moon'], /--moon/],
  ])('refuses %j with exit code 2', (args, message) => {
    const { status, stderr } = run(...args);

    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('says that a folder is no cloud assembly', () => {
    const { status, stderr } = run('--assembly', root);

    expect(status).toBe(1);
    expect(stderr).toMatch(/is not a cloud assembly.*cdk synth/);
  });
});
