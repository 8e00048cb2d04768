/** Mistakes that people make with secrets, and attacks: what comes back says what is wrong and shows no secret. */
import { spawn, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { synthesize } from '../../support/assembly.ts';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Runtime, startRuntime } from '../../support/runtime.ts';
import { SecretSearch } from '../../support/secrets/search.ts';
import { describeLocally } from '../../support/target.ts';

const root = path.resolve(__dirname, '../../..');
/** Below a folder of the run, so that it can be removed for good: keys are where they must not be. */
const folder = mkdtempSync(path.join(mkdtempSync(path.join(tmpdir(), 'thingstead-mistakes-')), 'files-'));
let ca: CertificateAuthority;
let device: DeviceCertificate;
let search: SecretSearch;

beforeAll(async () => {
  ca = await createCa('mistakes');
  device = await issue(ca, 'barn1');
  const { d } = createPrivateKey(device.keyPem).export({ format: 'jwk' });
  search = new SecretSearch([{ slot: 'private key', bytes: Buffer.from(String(d), 'base64url') }]);
  for (const [name, text] of Object.entries({
    'device.crt': device.pem,
    'device.key': device.keyPem,
    // A key as it looks after a careless copy: without its last line, and with Windows line ends.
    'cut.key': device.keyPem.split('\n').slice(0, -2).join('\r\n'),
    'spoilt.key': device.keyPem.replace(/\nM/, '\n!'),
    'both.key': `${device.keyPem}${device.pem}`,
    'ca.crt': device.keyPem,
    'ca.key': device.pem,
  })) {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

const agentScript = path.join(root, 'device/bin/thingstead-agent.mjs');

function configFile(change: Readonly<Record<string, unknown>>): string {
  const file = path.join(mkdtempSync(path.join(folder, 'config-')), 'device.json');
  const config = {
    thing: 'barn1',
    endpoint: { host: 'localhost', port: 1 },
    certificateFile: '../device.crt',
    privateKeyFile: '../device.key',
    logLevel: 'debug',
    sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 1 }],
  };
  writeFileSync(file, JSON.stringify({ ...config, ...change }));
  return file;
}

function run(script: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** An agent that runs, and what it has said so far. */
function startAgent(nodeOptions: readonly string[], config: string) {
  const agent = spawn(process.execPath, [...nodeOptions, agentScript, '--config', config, 'run']);
  let output = '';
  const looking = new Set<() => void>();
  for (const stream of [agent.stdout, agent.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      for (const look of looking) look();
    });
  }
  return {
    process: agent,
    output: () => output,
    says: (text: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
        };
        looking.add(look);
        look();
      }),
  };
}

describe('the agent', () => {
  it.each([
    ['its key where the certificate belongs', { certificateFile: '../device.key' }],
    ['a key that was cut', { privateKeyFile: '../cut.key' }],
    ['a key with a wrong letter', { privateKeyFile: '../spoilt.key' }],
    ['key and certificate in one file', { privateKeyFile: '../both.key', certificateFile: '../both.key' }],
  ])('that is given %s shows no key', (_mistake, change) => {
    const { output } = run(agentScript, '--config', configFile(change), 'check-config');

    expect(search.in(output)).toEqual([]);
  });

  it('that is given the text of its key as a value, or a key file as its configuration, does not repeat it', () => {
    const asValue = run(agentScript, '--config', configFile({ privateKeyFile: device.keyPem }), 'check-config');
    const asUnknown = run(agentScript, '--config', configFile({ privateKey: device.keyPem }), 'check-config');
    const asFile = run(agentScript, '--config', path.join(folder, 'device.key'), 'check-config');

    expect([asValue.status, asUnknown.status, asFile.status]).toEqual([78, 78, 78]);
    expect(search.in(asValue.output)).toEqual([]);
    expect(search.in(asUnknown.output)).toEqual([]);
    expect(search.in(asFile.output)).toEqual([]);
  });

  it('that dies while it tries to connect leaves a report without its key', async () => {
    // GIVEN
    const reports = mkdtempSync(path.join(folder, 'reports-'));
    const agent = startAgent(['--report-on-signal', `--report-directory=${reports}`], configFile({}));
    await agent.says('connection.unreachable');

    // WHEN
    agent.process.kill('SIGUSR2');
    await agent.says('report completed');
    agent.process.kill('SIGABRT');
    await once(agent.process, 'close');

    // THEN
    const [report = ''] = readdirSync(reports);
    expect(search.in(readFileSync(path.join(reports, report), 'utf8'))).toEqual([]);
    expect(search.in(agent.output())).toEqual([]);
  });

  it('that trusts its own key as a root CA does not show it', async () => {
    const agent = startAgent([], configFile({ rootCaFile: '../device.key' }));
    await Promise.race([agent.says('connection.unreachable'), once(agent.process, 'close')]);
    agent.process.kill('SIGKILL');

    expect(agent.output()).not.toBe('');
    expect(search.in(agent.output())).toEqual([]);
  });
});

describe("the operator's command", () => {
  const command = path.join(root, 'cli/bin/thingstead.mjs');

  it.each([
    ['key and certificate of a CA the wrong way round', ['device', 'create', 'barn2', '--ca', 'ca', '--dir', folder]],
    ['a key file as the endpoints file', ['--endpoints', 'device.key', 'ca', 'list']],
  ])('that is given %s shows no key, with --debug either', (_mistake, args) => {
    const { status, output } = run(command, '--debug', ...args);

    expect(status).not.toBe(0);
    expect(search.in(output)).toEqual([]);
  });
});

describeLocally('keys that are wrong on purpose', 'the AWS endpoint', () => {
  let runtime: Runtime;

  beforeAll(async () => {
    runtime = await startRuntime({ assembly: synthesize(), args: ['--verbose'] });
  });
  afterAll(() => runtime.stop());

  function secretsOf(...texts: readonly string[]): SecretSearch {
    return new SecretSearch(texts.map((text) => ({ slot: 'operator', bytes: Buffer.from(text) })));
  }

  it('shows neither key nor signature when a signature is wrong, nor in its log', async () => {
    // GIVEN
    const { credentials, endpoint } = runtime.config;
    const { accessKeyId, secretAccessKey } = credentials;
    const wrong = `${secretAccessKey.slice(0, -2)}xx`;
    const answers: string[] = [];
    const sts = new STSClient({ ...runtime.config, credentials: { accessKeyId, secretAccessKey: wrong } });

    // WHEN
    await sts.send(new GetCallerIdentityCommand({})).catch((error: unknown) => answers.push(JSON.stringify(error)));
    const scope = `${accessKeyId}/20260101/us-east-1/s3/aws4_request`;
    const signature = 'deadbeef'.repeat(8);
    for (const headers of [
      { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${signature}` },
      { authorization: `AWS4-HMAC-SHA256 Credential=${secretAccessKey}, SignedHeaders=host, Signature=${signature}` },
      { authorization: `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}` },
      { authorization: `Bearer ${secretAccessKey}` },
    ]) {
      const answer = await fetch(`${endpoint}/barn/key`, { headers });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      answers.push(`${JSON.stringify([...answer.headers])}${await answer.text()}`);
    }
    for (const query of [
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(scope)}&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}`,
      `X-Amz-Security-Token=${encodeURIComponent(secretAccessKey)}&X-Amz-Signature=${signature}`,
    ]) {
      const answer = await fetch(`${endpoint}/barn/key?${query}`);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      answers.push(await answer.text());
    }

    // THEN
    const shown = secretsOf(secretAccessKey, wrong, signature);
    expect(shown.in(answers.join('\n'))).toEqual([]);
    expect(shown.in(runtime.output())).toEqual([]);
  });
});
