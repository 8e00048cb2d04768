/** The data plane behind a plain HTTP server, so that the real SDK client reaches it without the front door. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import type { Caller } from '../../local/src/kernel/caller.ts';
import { AwsError } from '../../local/src/kernel/errors.ts';
import type { BrokerFixture } from './mqtt-fixture.ts';

const OPERATOR: Caller = {
  kind: 'user',
  arn: 'arn:aws:iam::123456789012:user/operator',
  accountId: '123456789012',
  userName: 'operator',
};

export interface DataEndpoint {
  readonly client: IoTDataPlaneClient;
  stop(): Promise<void>;
}

/** Requests are not verified here; every caller is the operator. */
export async function startDataEndpoint({ kernel, dataPlane }: BrokerFixture): Promise<DataEndpoint> {
  const [protocol] = dataPlane.service.protocols;
  if (!protocol) throw new Error('the data plane speaks no protocol');
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://localhost');
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const request = {
        method: incoming.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        headers,
        body: Buffer.concat(chunks),
      };
      const run = async () => {
        const decoded = protocol.decode(request);
        if (!decoded) throw new Error(`no operation for ${request.method} ${request.path}`);
        const output = await kernel.call('iot-data', decoded.operation, decoded.input, OPERATOR);
        return protocol.encode(decoded.operation, output, 'request');
      };
      run()
        .catch((error: unknown) => {
          if (!(error instanceof AwsError)) throw error;
          return protocol.encodeError(error, 'request');
        })
        .then(({ status, headers: answerHeaders, body }) => {
          outgoing.writeHead(status, answerHeaders);
          outgoing.end(body);
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new IoTDataPlaneClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  return {
    client,
    async stop() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
