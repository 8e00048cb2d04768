import { restJsonProtocol } from '../../http/protocols/index.ts';
import type { LocalIam } from '../../iam/local-iam.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { Apis } from './apis.ts';
import { Gateway } from './gateway/gateway.ts';
import { GET_ROUTES, getOperations } from './operations/get.ts';
import { putOperations } from './operations/put.ts';

export interface ApigatewayOptions {
  readonly iam: LocalIam;
  /** Loopback. */
  readonly host: string;
  /** Of the first API; each further one has the next. */
  readonly port: number;
}

/** API Gateway, HTTP APIs: the control API to read, and a server for each API. */
export function createApigatewayv2Service(
  kernel: Kernel,
  { iam, host, port }: ApigatewayOptions,
): { readonly service: Service; readonly listener: Gateway } {
  const apis = new Apis(kernel, host, port);
  return {
    service: {
      name: 'apigatewayv2',
      signingNames: ['apigateway'],
      protocols: [restJsonProtocol(GET_ROUTES)],
      operations: { ...getOperations(apis), ...putOperations(apis) },
      state: apis.state,
    },
    listener: new Gateway(apis, iam, host),
  };
}
