/**
 * The procedure of AWS's article on just-in-time registration with tools that are not ours: CA and device certificate
 * by openssl, registered with the AWS CLI, telemetry by mosquitto_pub.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeWithTools } from '../../support/tools.ts';
import { unique } from '../../support/unique-name.ts';

describeWithTools(['openssl', 'aws', 'mosquitto_pub'], 'with openssl, the AWS CLI and mosquitto_pub', () => {
  const thing = unique('sensor123');
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-jitr-'));
  let platform: Platform;

  function run(command: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      env: platform.cliEnvironment,
    });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} exited ${status}: ${stderr}`);
    return stdout;
  }

  function publish(topic: string, message: string): number | null {
    const { mqtt } = platform;
    const args = ['-h', mqtt.host, '-p', String(mqtt.port), '--cafile', mqtt.rootCaFile];
    const identity = ['--cert', 'device.crt', '--key', 'device.key', '-i', thing];
    return spawnSync('mosquitto_pub', [...args, ...identity, '-q', '1', '-t', topic, '-m', message], { cwd: folder })
      .status;
  }

  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform.stop());

  it.each(['SNI_ONLY', 'DEFAULT'] as const)(
    'a device of a CA in %s mode is refused once, accepted after, and its reading stored',
    async (mode) => {
      // GIVEN a CA made and registered by hand
      run(
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '30',
        '-keyout',
        'ca.key',
        '-out',
        'ca.crt',
        '-subj',
        `/CN=${unique(`Article CA ${mode}`)}`,
      );
      const register = [
        'iot',
        'register-ca-certificate',
        '--ca-certificate',
        'file://ca.crt',
        '--set-as-active',
        '--allow-auto-registration',
      ];
      if (mode === 'DEFAULT') {
        const code = JSON.parse(run('aws', 'iot', 'get-registration-code')).registrationCode;
        run(
          'openssl',
          'req',
          '-new',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-keyout',
          'verify.key',
          '-out',
          'verify.csr',
          '-subj',
          `/CN=${code}`,
        );
        run(
          'openssl',
          'x509',
          '-req',
          '-in',
          'verify.csr',
          '-CA',
          'ca.crt',
          '-CAkey',
          'ca.key',
          '-CAcreateserial',
          '-days',
          '30',
          '-out',
          'verify.crt',
        );
        register.push('--verification-cert', 'file://verify.crt');
      } else {
        register.push('--certificate-mode', 'SNI_ONLY');
      }
      const { certificateId } = JSON.parse(run('aws', ...register));
      expect(certificateId).toMatch(/^[0-9a-f]{64}$/);
      platform.removeAtEnd(certificateId);
      run(
        'openssl',
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        'device.key',
        '-out',
        'device.csr',
        '-subj',
        `/CN=${thing}`,
      );
      run(
        'openssl',
        'x509',
        '-req',
        '-in',
        'device.csr',
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '30',
        '-out',
        'device.crt',
      );
      // AWS's article sends the CA along with the device's certificate.
      writeFileSync(
        path.join(folder, 'device.crt'),
        readFileSync(path.join(folder, 'device.crt'), 'utf8') + readFileSync(path.join(folder, 'ca.crt'), 'utf8'),
      );
      if (mode === 'DEFAULT') {
        // The first case's certificate holds the name; the operator says that this one takes its place.
        const id = run('openssl', 'x509', '-in', 'device.crt', '-noout', '-fingerprint', '-sha256').split('=')[1] ?? '';
        await platform.addToManifest({
          thing,
          certificateId: id.trim().replaceAll(':', '').toLowerCase(),
        });
      }
      const topic = `device/${thing}/sensor/temperature/v1`;

      // WHEN it connects for the first time, THEN it is refused
      expect(publish(topic, `{"id":"${mode}-1","value":1}`)).not.toBe(0);

      // WHEN it connects again, THEN it is accepted, and the reading is in the table
      await platform.soon(async () => expect(publish(topic, `{"id":"${mode}-2","value":21.5}`)).toBe(0));
      await platform.soon(async () => {
        const stored = await platform.history(thing, 'temperature');
        expect(stored).toContainEqual(expect.objectContaining({ messageId: `${mode}-2`, value: 21.5 }));
        expect(stored).not.toContainEqual(expect.objectContaining({ messageId: `${mode}-1` }));
      });
    },
  );
});
