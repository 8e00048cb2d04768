import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { parseArn } from '../../../kernel/arn.ts';
import { AwsError, notEmulated } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Permission } from '../../../kernel/service.ts';
import type { WireRequest, WireResponse } from '../../../kernel/wire.ts';
import { type ServerCredentials, sniOf, TLS_OPTIONS } from '../broker/index.ts';
import { MAX_PAYLOAD_BYTES } from '../broker/limits.ts';
import type { CredentialProvider } from '../credential-provider/credential-provider.ts';
import type { Certificate, CertificateDirectory, IotAuthorizer } from '../types.ts';
import type { DataOperations } from './index.ts';
import { dataPlaneProtocol } from './routes.ts';

export interface DeviceHttpsOptions {
  readonly operations: DataOperations;
  readonly directory: CertificateDirectory;
  readonly authorizer: IotAuthorizer;
  /** On AWS it has a host of its own; here it shares the port. */
  readonly credentialProvider?: CredentialProvider;
  readonly tls: ServerCredentials;
  /** 8443 on AWS; 0 finds a free one. */
  readonly port: number;
  readonly host?: string;
}

export interface DeviceHttps {
  readonly port: number;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** HTTP on AWS's port 8443, and on 443 with this ALPN name (protocols). */
const ALPN = ['x-amzn-http-ca', 'http/1.1'];

/** Operations that are for the account's operators, by SigV4 only. */
const NOT_FOR_DEVICES: ReadonlySet<string> = new Set(['DeleteConnection', 'GetConnection', 'ListSubscriptions']);

/**
 * The data plane with a device certificate over mutual TLS, `POST https://<host>:8443/topics/<topic>?qos=1`
 * (https://docs.aws.amazon.com/iot/latest/developerguide/http.html). The certificate's IoT policies decide. Nothing is
 * registered here: that happens on an MQTT CONNECT only.
 */
export function createDeviceHttps(kernel: Kernel, options: DeviceHttpsOptions): DeviceHttps {
  const protocol = dataPlaneProtocol();
  const server = createServer({ ...options.tls, ...TLS_OPTIONS, ALPNProtocols: ALPN }, (incoming, outgoing) => {
    void answer(incoming).then(({ status, headers, body }) => {
      outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
      outgoing.end(body);
    });
  });

  async function answer(incoming: IncomingMessage): Promise<WireResponse> {
    const requestId = randomUUID();
    try {
      const certificate = authenticate(kernel, options.directory, incoming.socket as TLSSocket);
      const request = await read(incoming);
      const sourceIp = incoming.socket.remoteAddress;
      const credentials = options.credentialProvider?.(request, certificate, sourceIp);
      if (credentials) return await credentials;
      const decoded = protocol.decode(request);
      if (!decoded)
        throw new AwsError('ResourceNotFoundException', `No operation for ${request.method} ${request.path}`, 404);
      const operation = options.operations[decoded.operation];
      if (!operation) throw notEmulated('iot-data', decoded.operation);
      if (NOT_FOR_DEVICES.has(decoded.operation)) throw forbidden();
      for (const permission of operation.permissions(decoded.input)) {
        if (!allows(options.authorizer, certificate, permission, sourceIp)) throw forbidden();
      }
      const output = operation.run(decoded.input, { principal: certificate.certificateId, sourceIp });
      return protocol.encode(decoded.operation, output, requestId);
    } catch (error) {
      if (error instanceof AwsError) return protocol.encodeError(error, requestId);
      kernel.log.error('a device request failed by a defect of the runtime', { error });
      const failure = { code: 'InternalFailureException', message: 'Internal failure', status: 500, details: {} };
      return protocol.encodeError(failure, requestId);
    }
  }

  return {
    get port() {
      // A TCP server's address is never a string; before listen there is none.
      return (server.address() as AddressInfo | null)?.port ?? options.port;
    },
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port, options.host ?? '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forbidden(): AwsError {
  return new AwsError('ForbiddenException', 'Forbidden', 403);
}

/** The active certificate of the TLS client; throws ForbiddenException for any other. */
function authenticate(kernel: Kernel, directory: CertificateDirectory, socket: TLSSocket): Certificate {
  const peer = socket.getPeerX509Certificate();
  if (!peer) throw forbidden();
  const found = directory.verify({ der: peer.raw, sni: sniOf(socket) });
  if (found.kind === 'active') return found.certificate;
  kernel.log.info('device https request refused', { why: found.reason });
  throw forbidden();
}

function allows(
  authorizer: IotAuthorizer,
  certificate: Certificate,
  { action, resource, context }: Permission,
  sourceIp: string | undefined,
): boolean {
  return authorizer.allows({
    principal: { kind: 'certificate', certificate },
    action,
    resource: parseArn(resource)?.resource ?? resource,
    // "HTTPS doesn't support a clientId value like MQTT does."
    protocol: 'https',
    clientId: undefined,
    sourceIp,
    ...(context && { context }),
  });
}

async function read(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_PAYLOAD_BYTES) {
      throw new AwsError('RequestEntityTooLargeException', `a payload has at most ${MAX_PAYLOAD_BYTES} bytes`, 413);
    }
    chunks.push(chunk);
  }
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?');
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value ?? '')]);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  };
}
