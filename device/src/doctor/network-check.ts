import { lookup } from 'node:dns/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, getCACertificates } from 'node:tls';
import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import type { Identity } from '../identity.ts';
import { type Finding, fail, ok } from './finding.ts';

const TIMEOUT_MS = 10_000;

/** Name, TCP and TLS, one after the other, until one fails. No MQTT is spoken. */
export async function checkNetwork(
  { endpoint: { host, port } }: AgentConfig,
  identity?: Identity,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const step of [() => name(host), () => tcp(host, port), () => tls(host, port, identity)]) {
    const finding = await step();
    findings.push(finding);
    if (finding.status === 'fail') break;
  }
  return findings;
}

async function name(host: string): Promise<Finding> {
  try {
    const found = await lookup(host, { all: true });
    return ok('dns', `${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const advice =
      code === 'ENOTFOUND'
        ? 'is endpoint.host spelt right, and is the name server right?'
        : 'is the network there? resolvectl status';
    return fail('dns', `${host} is not found: ${messageOf(error)}`, advice);
  }
}

function tcp(host: string, port: number): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: TIMEOUT_MS });
    const settle = (finding: Finding): void => {
      socket.destroy();
      resolve(finding);
    };
    const where = `${host}:${port}`;
    const advice = `does a firewall block port ${port}? With "port": 443 in endpoint it mostly does not`;
    socket.once('connect', () => settle(ok('tcp', `${where} answers`)));
    socket.once('timeout', () => settle(fail('tcp', `${where} does not answer within ${TIMEOUT_MS / 1000} s`, advice)));
    socket.once('error', (error) => settle(fail('tcp', `${where}: ${messageOf(error)}`, advice)));
  });
}

/** The device's certificate is shown, when its key is in a file: AWS IoT ends a handshake without one. */
function tls(host: string, port: number, identity?: Identity): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...{ host, port, servername: host, timeout: TIMEOUT_MS, ALPNProtocols: ['x-amzn-mqtt-ca'] },
      // Like the device SDK: the given root, or those of the machine.
      ca: identity?.rootCa ?? getCACertificates('system'),
      ...(identity?.key.kind === 'file' ? { cert: identity.certificate, key: identity.key.pem } : {}),
    });
    const settle = (finding: Finding): void => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('secureConnect', () => {
      const { issuer } = socket.getPeerCertificate();
      const by = issuer.CN ?? issuer.O ?? 'an unnamed CA';
      settle(ok('tls', `${socket.getProtocol()}; the certificate of the server is of ${by}, which this device trusts`));
    });
    socket.once('timeout', () =>
      settle(fail('tls', `no handshake within ${TIMEOUT_MS / 1000} s`, 'does a firewall look into TLS?')),
    );
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const afterCertificate = /alert/i.test(error.message) && identity?.key.kind !== 'file';
      if (afterCertificate) settle(ok('tls', 'the server is trusted, and asks for the certificate of the device'));
      else settle(fail('tls', messageOf(error), tlsAdvice(error.code ?? '')));
    });
  });
}

function tlsAdvice(code: string): string {
  if (code === 'CERT_NOT_YET_VALID') return "this device's clock is in the past: set it";
  if (code === 'CERT_HAS_EXPIRED')
    return "is this device's clock right? The server's certificate has expired otherwise";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the server has another name: is endpoint.host right?';
  if (/SELF_SIGNED|UNABLE_TO|CERT_UNTRUSTED/.test(code)) {
    return 'the server is of a CA that this device does not trust: is rootCaFile right? Or does a proxy look into TLS?';
  }
  if (code === 'ECONNRESET')
    return 'the server ended the handshake: is this the endpoint of AWS IoT (-ats), and the right port?';
  return 'is this the endpoint of AWS IoT, and the right port?';
}
