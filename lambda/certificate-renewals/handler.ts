import { CertificateEvent, CertificateRequest, RenewalRequest } from '@thingstead/contracts/certificates';
import { DEVICE_ROUTES } from '@thingstead/contracts/routes/devices';
import { validate } from '@thingstead/contracts/validate';
import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { readRequest } from '../http/read-request.ts';
import { refusal } from '../http/request.ts';
import { problem, success } from '../http/routes-handler.ts';
import { deviceMessageHandler, readMessage } from '../rules/device-message.ts';
import { confirm } from './confirm.ts';
import { renewOverHttps } from './over-https.ts';
import { type Ports, type Refused, refused } from './ports.ts';
import { renew } from './renew.ts';

const MAX_REASON = 1000;

type HttpEvent = APIGatewayProxyEventV2WithJWTAuthorizer;

/** The handler of the rule on what devices say about their certificates, and of the route for those that cannot connect. */
export function createHandler(
  ports: Ports,
): (event: unknown) => Promise<APIGatewayProxyStructuredResultV2 | undefined> {
  const onMessage = deviceMessageHandler(
    CertificateEvent,
    (event) => answerDevice(event, ports),
    (error, thing) => ports.reports.failed(thing, error),
  );
  return async (event) => {
    if (isHttp(event)) return answerHttp(event, ports);
    await onMessage(event);
    return undefined;
  };
}

function isHttp(event: unknown): event is HttpEvent {
  return typeof event === 'object' && event !== null && 'routeKey' in event;
}

async function answerDevice({ thing, certificateId, payload }: CertificateEvent, ports: Ports): Promise<void> {
  const request = validate(CertificateRequest, readMessage(payload));
  if (!request.ok) return reject(thing, 'unknown', refused('invalid', request.reason), ports);
  const { type } = request.value;
  if (type === 'confirm') {
    const outcome = await confirm(thing, certificateId, ports);
    if (!outcome.ok) return reject(thing, type, outcome, ports);
    return ports.answers.accepted(thing, { type });
  }
  const outcome = await renew({ thing, certificateId, csr: request.value.csr }, ports);
  if (!outcome.ok) return reject(thing, type, outcome, ports);
  return ports.answers.accepted(thing, { type, certificate: outcome.certificate });
}

async function reject(thing: string, type: string, { code, reason, retry }: Refused, ports: Ports): Promise<void> {
  ports.reports.refused({ thing, code, reason });
  await ports.answers.rejected(thing, { type, code, reason: reason.slice(0, MAX_REASON), retry });
}

/** Whoever is refused learns nothing: the reason is in the log. */
async function answerHttp(event: HttpEvent, ports: Ports): Promise<APIGatewayProxyStructuredResultV2> {
  const correlationId = event.requestContext.requestId;
  const route = DEVICE_ROUTES.renewCertificate;
  try {
    const request = readRequest(route, event);
    if (!request.ok)
      return problem(refusal(400, 'this is no request for a certificate'), correlationId, request.errors);
    const body = validate(RenewalRequest, request.parts.body);
    if (!body.ok) return problem(refusal(400, 'this is no request for a certificate'), correlationId);
    const { thing, outcome } = await renewOverHttps(body.value, ports);
    if (outcome.ok) return success(route, { body: { certificate: outcome.certificate } });
    ports.reports.refused({ thing, code: outcome.code, reason: outcome.reason });
    if (outcome.code === 'pending')
      return problem(refusal(409, 'an operator signs it; ask again later'), correlationId);
    if (outcome.code === 'busy') return problem(refusal(429, 'ask again later'), correlationId);
    return problem(refusal(403, 'there is no certificate for this request'), correlationId);
  } catch (error) {
    ports.reports.failed(undefined, error);
    return problem(refusal(500, 'something went wrong here; try again'), correlationId);
  }
}
