/**
 * The AWS endpoint: takes HTTP requests, verifies their signature, finds the service by the signature's scope, and calls
 * the operation in the name of the caller.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import { ConnectionCut, harmedCall } from '../faults/harmed-call.ts';
import type { LocalIam } from '../iam/local-iam.ts';
import { AwsError, notEmulated } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Service } from '../kernel/service.ts';
import type { WireProtocol, WireResponse } from '../kernel/wire.ts';
import { DualServer } from './dual-server.ts';
import { protocolOfUnknown, unknownOperationName } from './protocol-of-unknown.ts';
import { readRequest, requestOf } from './read-request.ts';
import { type Authenticated, authenticate, type Verifier } from './signature/authenticate.ts';
import { type ErrorFamily, inFamily } from './signature/authentication-errors.ts';
import { type HttpRequest, parseCompactDate, readSignature, signingNameOf } from './signature/scope.ts';

/** The state that requests are answered from; a reset replaces it. */
export interface Account {
  readonly kernel: Kernel;
  readonly iam: LocalIam;
}

export interface FrontDoorOptions {
  readonly host: string;
  readonly port: number;
  account(): Account;
  /** Answers requests that are not for an AWS API; undefined for the rest. */
  readonly intercept: (request: HttpRequest) => Promise<WireResponse> | undefined;
}

type Incoming = IncomingMessage | Http2ServerRequest;
type Outgoing = ServerResponse | Http2ServerResponse;

export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #server: DualServer;
  #routes: { readonly kernel: Kernel; readonly services: ReadonlyMap<string, Service> } | undefined;

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#server = new DualServer(
      (incoming, outgoing) => void this.#handle(incoming, outgoing),
      (incoming, socket, head) => this.#upgrade(incoming, socket, head),
    );
  }

  /** Rejects with the system's error when the port is taken. */
  listen(): Promise<void> {
    return this.#server.listen(this.#options.port, this.#options.host);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async #handle(incoming: Incoming, outgoing: Outgoing): Promise<void> {
    const requestId = randomUUID();
    let answer: WireResponse;
    let signedAt: string | undefined;
    try {
      const request = await readRequest(incoming);
      signedAt = request.headers['x-amz-date'];
      answer =
        (await this.#options.intercept(request)) ??
        (await this.#answer(request, requestId, incoming.socket?.remoteAddress));
    } catch (error) {
      if (error instanceof ConnectionCut) cut(incoming);
      if (error instanceof ConnectionCut || outgoing.destroyed) return;
      answer = protocolOfUnknown().encodeError(this.#asAwsError(error), requestId);
    }
    outgoing.setHeader('date', this.#dateFor(signedAt));
    send(outgoing, answer, incoming.method === 'HEAD');
  }

  /**
   * The time that is said to a client is on the clock that it signs with: after an error, SDKs correct theirs by it. Functions
   * sign with virtual time, everybody else with the machine's.
   */
  #dateFor(signedAt: string | undefined): string {
    const virtual = this.#options.account().kernel.clock.now();
    const signed = signedAt === undefined ? Number.NaN : parseCompactDate(signedAt);
    const isVirtual = Math.abs(signed - virtual) < Math.abs(signed - Date.now());
    return new Date(isVirtual ? virtual : Date.now()).toUTCString();
  }

  async #answer(request: HttpRequest, requestId: string, sourceIp: string | undefined): Promise<WireResponse> {
    const { kernel, iam } = this.#options.account();
    const unsigned = await answerUnsigned(kernel, request, requestId);
    if (unsigned) return unsigned;
    let signingName: string | undefined;
    let accessKeyId = '';
    let service: Service | undefined;
    let authenticated: Authenticated | undefined;
    let failure: unknown;
    try {
      // First: what is wrong with a signature is told in the words of the service that it is for.
      signingName = signingNameOf(request);
      service = signingName === undefined ? undefined : this.#serviceFor(kernel, signingName);
      const claim = readSignature(request);
      if (!claim)
        throw new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token', 403);
      accessKeyId = claim.accessKeyId;
      authenticated = authenticate(request, claim, verifierOf(kernel, iam));
    } catch (error) {
      failure = error;
    }
    const plain = authenticated?.request ?? request;
    const { protocol, decode } = chooseProtocol(service, signingName, plain);
    const completed = (answer: WireResponse) => service?.complete?.(request, answer) ?? answer;
    const family: ErrorFamily = signingName === 's3' ? 's3' : (protocol.authenticationErrors ?? 'json');
    try {
      if (!authenticated) throw failure;
      const { operation, input } = decode();
      const context = { requestId, sourceIp };
      const { caller } = authenticated;
      const name = service?.name ?? signingName ?? '';
      const output = await harmedCall(kernel.faults, { accessKeyId, service: name, operation, input }, () =>
        kernel.call(name, operation, input, caller, context),
      );
      return completed(protocol.encode(operation, output, requestId));
    } catch (error) {
      if (error instanceof ConnectionCut) throw error;
      return completed(protocol.encodeError(inFamily(this.#asAwsError(error), family), requestId));
    }
  }

  /** A WebSocket: signed in its address, and taken by the service that it is signed for. */
  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { kernel, iam } = this.#options.account();
    try {
      const request = requestOf(incoming, Buffer.alloc(0));
      const claim = readSignature(request);
      if (!claim) throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
      const { caller } = authenticate(request, claim, verifierOf(kernel, iam));
      const isTaken = this.#serviceFor(kernel, claim.service)?.webSocket?.({ incoming, socket, head, caller });
      if (!isTaken) refuseUpgrade(socket, 404, `${claim.service} has no WebSocket at ${request.path}`);
    } catch (error) {
      const { status, message } = this.#asAwsError(error);
      refuseUpgrade(socket, status, message);
    }
  }

  #serviceFor(kernel: Kernel, signingName: string): Service | undefined {
    if (this.#routes?.kernel !== kernel) {
      const named = kernel.services.flatMap((service) => service.signingNames.map((name) => [name, service] as const));
      this.#routes = { kernel, services: new Map(named) };
    }
    return this.#routes.services.get(signingName);
  }

  #asAwsError(error: unknown): AwsError {
    if (error instanceof AwsError) return error;
    this.#options.account().kernel.log.error('a request failed by a defect of the runtime', { error });
    return new AwsError('InternalFailure', 'The local runtime failed; its log says why.', 500);
  }
}

/** The answer of the service that takes this request without a signature. */
function answerUnsigned(kernel: Kernel, request: HttpRequest, requestId: string): Promise<WireResponse> | undefined {
  const { authorization = '' } = request.headers;
  // A client secret or an access token of OAuth is no signature.
  const isSigned = authorization !== '' && !/^(?:Basic|Bearer) /i.test(authorization);
  // A preflight has the address of the request that follows, with the signature that is none of its own.
  const isPresigned = request.query.has('X-Amz-Signature') && request.method !== 'OPTIONS';
  if (isSigned || isPresigned) return undefined;
  for (const service of kernel.services) {
    const answer = service.unsigned?.(request, requestId);
    if (answer) return answer;
  }
  return undefined;
}

function verifierOf(kernel: Kernel, iam: LocalIam): Verifier {
  return {
    region: kernel.region,
    now: () => kernel.clock.now(),
    find: (accessKeyId) => iam.credentialsOf(accessKeyId),
  };
}

interface Choice {
  readonly protocol: WireProtocol;
  /** Throws an AwsError for a request that cannot be read or has no operation. */
  decode(): { readonly operation: string; readonly input: unknown };
}

function chooseProtocol(service: Service | undefined, signingName: string | undefined, request: HttpRequest): Choice {
  for (const protocol of service?.protocols ?? []) {
    try {
      const decoded = protocol.decode(request);
      if (decoded) return { protocol, decode: () => decoded };
    } catch (error) {
      return {
        protocol,
        decode: () => {
          throw error;
        },
      };
    }
  }
  return {
    protocol: service?.protocols[0] ?? protocolOfUnknown(request, signingName),
    decode: () => {
      throw notEmulated(service?.name ?? signingName ?? 'unknown', unknownOperationName(request));
    },
  };
}

function send(outgoing: Outgoing, { status, headers, body }: WireResponse, isHead: boolean): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  // A HEAD answer may announce the length of what it does not carry.
  const length = isHead && headers['content-length'] !== undefined ? headers['content-length'] : bytes.length;
  const all = status === 204 || status === 304 ? { ...headers } : { ...headers, 'content-length': length };
  // The types of HTTP/1.1 and HTTP/2 answers agree at run time, not in their declarations.
  const response = outgoing as ServerResponse;
  response.writeHead(status, all);
  response.end(isHead ? undefined : bytes);
}

/** Ends the connection as a network does that fails: RST, and all that is under way on it is lost. */
function cut(incoming: Incoming): void {
  // Behind HTTP/2 there is a stand-in for the socket, which has to be left to its session.
  if ('stream' in incoming) incoming.stream.session?.destroy();
  else incoming.socket.resetAndDestroy();
}

function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  const body = JSON.stringify({ message });
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers}\r\n\r\n${body}`);
}
