/** The certificate of a device whose key is in a PKCS#11 token (SoftHSM 2) is renewed: the key stays in the token, and gets another certificate. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SoftHsm } from '../../support/soft-hsm.ts';
import { describeLocally } from '../../support/target.ts';
import { describeWithTools } from '../../support/tools.ts';
import { endAgent, type RotatingDevice, type RotationPlatform, startRotationPlatform } from './rotation-platform.ts';

const LIMIT_MS = 240_000;

describeLocally('years that pass', 'the certificate of a device', () => {
  describeWithTools(['softhsm2-util', 'pkcs11-tool'], 'whose key is in a PKCS#11 token', () => {
    let platform: RotationPlatform;
    let token: SoftHsm;

    beforeAll(async () => {
      token = new SoftHsm();
      platform = await startRotationPlatform();
    }, LIMIT_MS);
    afterEach(() => platform?.killAgents());
    afterAll(async () => {
      await platform?.runtime.stop();
      token?.remove();
    });

    /** Its key is in the token, and in no file any more. */
    function makeDevice(name: string, id: string): RotatingDevice {
      const device = platform.makeDevice(name);
      const file = path.join(path.dirname(device.config), 'device.key');
      token.importKey(readFileSync(file, 'utf8'), name, id);
      rmSync(file);
      device.configure({ privateKeyFile: undefined, pkcs11: { ...token.pkcs11, keyLabel: name } });
      return device;
    }

    /** What the device keeps of its certificates. */
    function kept({ config }: RotatingDevice, name: string): string[] {
      const folder = path.join(path.dirname(config), 'state', name, 'certificate');
      return readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8'));
    }

    it(
      'is renewed when it is due, with no reading lost; then the old one is INACTIVE, and a restart goes on with the new one',
      async () => {
        // GIVEN a device that works with its first certificate
        const device = makeDevice('token1', '01');
        const before = platform.start(device, token.environment);
        await before.seen('telemetry.published');
        await endAgent(before);
        // The program that reads is killed with the agent: its number may have been counted, and never read.
        const cut = [device.read()];
        await platform.pass(69);

        // WHEN it is started near the end of its life
        const after = platform.start(device, token.environment);
        await after.seen('certificate.renewed');
        await after.seen('telemetry.published', 3);
        await endAgent(after);
        cut.push(device.read());
        await platform.runtime.advance(0);

        // THEN
        const certificates = await platform.certificatesOf('token1');
        expect(certificates[device.certificateId]).toBe('INACTIVE');
        expect(Object.values(certificates).sort()).toEqual(['ACTIVE', 'INACTIVE']);
        const readings = await platform.stored('token1');
        const whole = Array.from({ length: device.read() }, (_, n) => n + 1);
        expect(readings).toEqual(whole.filter((n) => !cut.includes(n) || readings.includes(n)));
        expect(after.events.filter(({ event }) => event === 'connection.connected')).toHaveLength(2);

        // AND no key is on the disk, and no PIN in the log
        const [pair, ...others] = kept(device, 'token1');
        expect(Object.keys(JSON.parse(pair ?? '{}'))).toEqual(['certificate']);
        expect(others).toEqual([]);
        expect(existsSync(path.join(path.dirname(device.config), 'device.key'))).toBe(false);
        expect(after.output()).not.toContain(token.pin);

        // AND it goes on with the new one
        const again = platform.start(device, token.environment);
        await again.seen('telemetry.published');
        const events = again.events.map(({ event }) => event);
        expect(events).not.toContain('connection.waiting_for_activation');
        expect(events).not.toContain('certificate.renewing');
      },
      LIMIT_MS,
    );

    it(
      'that expired on the shelf is replaced once pkcs11-tool is there, and until then it is said what is missing',
      async () => {
        // GIVEN a device that has connected, without the tool
        const device = makeDevice('token2', '02');
        const pkcs11 = { ...token.pkcs11, keyLabel: 'token2' };
        device.configure({ pkcs11: { ...pkcs11, tool: '/usr/bin/none' } });
        const before = platform.start(device, token.environment);
        await before.seen('telemetry.published');
        await endAgent(before);
        expect(await doctor(device)).toMatch(/^warn +token-signature +.*\/usr\/bin\/none cannot be run/m);

        // WHEN years pass
        await platform.pass(3 * 365);

        // THEN it says what is missing
        const lost = platform.start(device, token.environment);
        expect(await lost.seen('certificate.not_recovered')).toMatchObject({
          reason: expect.stringContaining('/usr/bin/none cannot be run'),
        });
        await lost.seen('certificate.not_recovered', 2);
        await endAgent(lost);

        // AND with the tool it is back by itself, with the same key
        device.configure({ pkcs11 });
        expect(await doctor(device)).toMatch(/^ok +token-signature/m);
        const after = platform.start(device, token.environment);
        await after.seen('certificate.recovered');
        await after.seen('certificate.renewed');
        await after.seen('telemetry.published');
        expect(await platform.statusOf(device.certificateId)).toBe('INACTIVE');
        expect(lost.output() + after.output()).not.toContain(token.pin);
        const [pair = ''] = kept(device, 'token2');
        const factory = readFileSync(path.join(path.dirname(device.config), 'device.crt'));
        expect(spkiOf(JSON.parse(pair).certificate)).toEqual(spkiOf(factory));
      },
      LIMIT_MS,
    );

    async function doctor(device: RotatingDevice): Promise<string> {
      const agent = platform.start(device, token.environment, 'doctor');
      await agent.exited;
      return agent.words();
    }
  });
});

function spkiOf(pem: string | Buffer): Buffer {
  return new X509Certificate(pem).publicKey.export({ format: 'der', type: 'spki' });
}
