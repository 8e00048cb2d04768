/** The device agent with its key in a PKCS#11 token (SoftHSM 2): it joins and sends, and says what is wrong with a token. */
import { chmodSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { SoftHsm } from '../../support/soft-hsm.ts';
import { describeLocally } from '../../support/target.ts';
import { describeWithTools } from '../../support/tools.ts';
import { unique } from '../../support/unique-name.ts';

describeWithTools(['softhsm2-util', 'pkcs11-tool'], 'an agent whose key is in a PKCS#11 token', () => {
  let platform: Platform;
  let ca: CertificateAuthority;
  let device: DeviceCertificate;
  let folder: string;
  let token: SoftHsm;
  const agents: AgentProcess[] = [];

  beforeAll(async () => {
    token = new SoftHsm();
    folder = token.folder;
    platform = await startPlatform();
    ca = await createCa(unique('pkcs11'));
    await platform.registerCa(ca);
    device = await issue(ca, unique('macdonald-hsm1'));
    token.importKey(device.keyPem, 'device', '01');
    writeFileSync(path.join(folder, 'device.crt'), device.pem);
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) {
      agent.process.kill('SIGKILL');
      await agent.exited;
    }
  });
  afterAll(async () => {
    await platform.stop();
    token.remove();
  });

  function start(change: object = {}, command = 'run', others: object = {}): AgentProcess {
    const file = path.join(mkdtempSync(path.join(folder, 'config-')), 'agent.json');
    const { host, port, rootCaFile } = platform.mqtt;
    const config = {
      thing: device.thing,
      endpoint: { host, port },
      certificateFile: '../device.crt',
      pkcs11: { ...token.pkcs11, keyLabel: 'device', ...change },
      rootCaFile,
      sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 0.1 }],
      publish: { intervalSeconds: 0.3 },
      reconnect: { baseSeconds: 0.2 },
      ...others,
    };
    writeFileSync(file, JSON.stringify(config));
    const agent = startAgentProcess(['--config', file, command], { environment: token.environment });
    agents.push(agent);
    return agent;
  }

  it('registers itself, is let in, and its readings are acknowledged', async () => {
    const agent = start();
    const waiting = await agent.seen('connection.waiting_for_activation');
    const published = await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');

    expect((await agent.exited).code).toBe(0);
    expect(waiting).toMatchObject({ level: 'info' });
    expect(published).toMatchObject({ sensor: 'temperature' });
    expect(await platform.certificateStatus(device)).toBe('ACTIVE');
    expect(agent.output()).not.toContain(token.pin);
    expect(readdirSync(folder).filter((name) => /key|import/.test(name))).toEqual([]);
  });

  describeLocally('a network that can be cut', 'while it runs', () => {
    it('goes on when its key was taken out of the token and put back', async () => {
      const proxy = await startCuttingProxy(platform.mqtt.port);
      const endpoint = { host: platform.mqtt.host, port: proxy.port };
      const agent = start({}, 'run', { endpoint, reconnect: { baseSeconds: 0.2, capSeconds: 1 } });
      await agent.seen('connection.connected');

      token.deleteKey('01');
      proxy.cut();
      const { reason } = await agent.seen('connection.unreachable', 2);
      token.importKey(device.keyPem, 'device', '01');
      await agent.seen('connection.connected', 2);
      proxy.stop();

      expect(reason).toContain('no private key with keyLabel "device"');
    });
  });

  it('check-config opens the token and says that it is good', async () => {
    const agent = start({}, 'check-config');

    expect(await agent.exited).toMatchObject({ code: 0 });
    expect(agent.words()).toContain('is good');
  });

  it.each([
    ['a token that is not there', { tokenLabel: 'agnet' }, 'there is no token with tokenLabel "agnet"'],
    ['a key that is not there', { keyLabel: 'devcie' }, 'no private key with keyLabel "devcie"'],
    [
      'a library that is not there',
      { library: '/usr/lib/none.so' },
      '/usr/lib/none.so is missing or no PKCS#11 library',
    ],
    ['a PIN file that is not there', { pinFile: '../none' }, 'pkcs11.pinFile cannot be read'],
  ])('refuses %s, says which, and is not to be restarted', async (_what, change, message) => {
    const agent = start(change);

    expect(await agent.exited).toMatchObject({ code: 78 });
    expect(agent.words()).toContain(message);
    expect(agent.output()).not.toContain(token.pin);
  });

  it('refuses a wrong PIN without showing it, and is not to be restarted, which would lock the token', async () => {
    const wrong = '999999';
    writeFileSync(path.join(folder, 'wrong-pin'), wrong, { mode: 0o600 });

    const agent = start({ pinFile: '../wrong-pin' });

    expect(await agent.exited).toMatchObject({ code: 78 });
    expect(agent.words()).toContain('the token refuses this PIN');
    expect(agent.output()).not.toContain(wrong);
  });

  it('refuses a PIN file that others can read', async () => {
    const file = path.join(folder, 'open-pin');
    writeFileSync(file, token.pin);
    chmodSync(file, 0o644);

    const agent = start({ pinFile: '../open-pin' });

    expect(await agent.exited).toMatchObject({ code: 78 });
    expect(agent.words()).toContain(`chmod 600 ${file}`);
    expect(agent.output()).not.toContain(token.pin);
  });

  it('does not get in with a key of the token that is not the one of the certificate', async () => {
    token.importKey((await issue(ca, unique('other'))).keyPem, 'other', '02');

    const agent = start({ keyLabel: 'other' });

    const { reason } = await agent.seen('connection.unreachable');
    expect(reason).toContain('AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE');
    expect(agent.events.some((each) => each.event === 'connection.connected')).toBe(false);
  });
});
