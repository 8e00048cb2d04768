/** Brokers beside which the runtime is measured: same machine, same run, same generator, same certificates. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { serverCertificate } from '../../local/src/tls/server-certificate.ts';
import { temporaryPath } from './assembly.ts';
import type { Fleet } from './fleet.ts';
import type { Target } from './load.ts';
import { freePort, nextMessage, root, start, startNode, stop } from './process.ts';

export interface Peer {
  readonly name: string;
  readonly target: Target;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

interface Files {
  readonly folder: string;
  readonly port: number;
  readonly key: string;
  readonly cert: string;
  readonly clientCa: string;
  readonly target: Target;
}

async function prepare({ ca }: Fleet): Promise<Files> {
  const folder = temporaryPath('peer');
  mkdirSync(folder);
  const { key, cert, rootCaFile } = await serverCertificate(path.join(folder, 'tls'));
  const port = await freePort();
  const files = {
    key: path.join(folder, 'key.pem'),
    cert: path.join(folder, 'cert.pem'),
    clientCa: path.join(folder, 'ca.pem'),
  };
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
  writeFileSync(files.clientCa, ca.pem);
  return { folder, port, ...files, target: { host: 'localhost', port, trust: readFileSync(rootCaFile, 'utf8') } };
}

/** The MQTT library over TLS, that only acknowledges. */
export async function startBareBroker(fleet: Fleet): Promise<Peer> {
  const { port, key, cert, clientCa, target } = await prepare(fleet);
  const script = path.join(root, 'bench/support/bare-broker.ts');
  const child = startNode(['--expose-gc', script, String(port), key, cert, clientCa]);
  await nextMessage(child);
  return { name: 'bare mqtt-packet over TLS', target, process: child, stop: () => stop(child) };
}

/** The common name of the client of Mosquitto that may publish to all devices. */
export const OPERATOR = 'bench-operator';

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find((file) => existsSync(file));

/** Mosquitto with mutual TLS and a topic rule per device; undefined, and said so, when it is not installed. */
export async function startMosquitto(fleet: Fleet): Promise<Peer | undefined> {
  if (!MOSQUITTO) {
    process.stderr.write('\nSKIPPED: Mosquitto is not installed. Install with: apt-get install mosquitto\n\n');
    return undefined;
  }
  const { folder, port, key, cert, clientCa, target } = await prepare(fleet);
  const file = path.join(folder, 'mosquitto.conf');
  const acl = path.join(folder, 'acl');
  writeFileSync(
    acl,
    `user ${OPERATOR}\ntopic write device/#\npattern write device/%u/sensor/#\npattern read device/%u/command/#\n`,
  );
  chmodSync(acl, 0o600);
  const lines = [
    `listener ${port} 127.0.0.1`,
    `cafile ${clientCa}`,
    `certfile ${cert}`,
    `keyfile ${key}`,
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous false',
    `acl_file ${acl}`,
    'persistence false',
    'log_type none',
    'set_tcp_nodelay true',
    // It gives up root rights otherwise, and then cannot read our files.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = start(MOSQUITTO, ['-c', file], { quiet: true });
  await untilListening(port, child);
  const version = /version (\S+)/.exec(spawnSync(MOSQUITTO, ['-h'], { encoding: 'utf8' }).stdout)?.[1] ?? '';
  return { name: `Mosquitto ${version}`, target, process: child, stop: () => stop(child) };
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`);
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
