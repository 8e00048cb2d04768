/** HTTP APIs for tests, made with CDK's own constructs, and issuers of tokens on this machine. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { HttpApi, type HttpApiProps, type HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Code, Function as LambdaFunction, Runtime as LambdaRuntime } from 'aws-cdk-lib/aws-lambda';
import { type Runtime, type RuntimeOptions, startRuntime } from '../support/runtime.ts';

/** Answers with its event, unless the query asks for something else. */
const ECHO = `exports.handler = async (event) => {
  const answers = {
    full: { statusCode: 201, cookies: ['a=1', 'b=2; Path=/'], headers: { 'X-Own': 'yes', 'content-length': '1' }, body: 'made' },
    binary: { statusCode: 200, headers: { 'content-type': 'image/png' }, isBase64Encoded: true, body: 'AP8=' },
    text: 'only text',
    status: { statusCode: 'many' },
    body: { statusCode: 200, body: { a: 1 } },
    header: { statusCode: 200, headers: { 'x-broken': 'a\\nb' }, body: '' },
    cors: { statusCode: 200, headers: { 'access-control-allow-origin': 'https://elsewhere.example' }, body: '' },
  };
  const mode = event.queryStringParameters?.mode;
  if (mode === 'throw') throw new Error('the reason is nobody else\\'s business');
  if (mode === 'hang') await new Promise((resolve) => setTimeout(resolve, 20000));
  if (event.version === '1.0' && mode === undefined) {
    return { statusCode: 200, multiValueHeaders: { 'set-cookie': ['a=1', 'b=2'] }, body: JSON.stringify(event) };
  }
  return mode in answers ? answers[mode] : event;
};`;

export class ApiStack {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-apigateway-'));
  readonly app = new App({ outdir: path.join(this.folder, 'cdk.out') });
  readonly stack = new Stack(this.app, 'Web');

  fn(id: string, code: string): LambdaFunction {
    return new LambdaFunction(this.stack, id, {
      runtime: LambdaRuntime.NODEJS_24_X,
      handler: 'index.handler',
      timeout: Duration.seconds(25),
      code: Code.fromInline(code),
    });
  }

  echo(id = 'Echo'): LambdaFunction {
    return this.fn(id, ECHO);
  }

  api(id: string, props?: HttpApiProps): HttpApi {
    const api = new HttpApi(this.stack, id, props);
    new CfnOutput(this.stack, `${id}Endpoint`, { value: api.apiEndpoint });
    new CfnOutput(this.stack, `${id}Id`, { value: api.apiId });
    return api;
  }

  /** Routes to a function, by their keys: `GET /things/{id}`. */
  routes(api: HttpApi, target: LambdaFunction, ...keys: readonly string[]): void {
    const integration = new HttpLambdaIntegration('Target', target);
    for (const key of keys) {
      const [method, route = ''] = key.split(' ');
      api.addRoutes({ path: route, methods: [method as HttpMethod], integration });
    }
  }

  async start(options: RuntimeOptions = {}): Promise<Runtime> {
    return startRuntime({ ...options, assembly: this.app.synth().directory });
  }

  /** An output of the stack: `ApiEndpoint` for the API `Api`. */
  output({ endpoints }: Runtime, key: string): string {
    const value = endpoints.outputs.Web?.[key];
    if (value === undefined) throw new Error(`the stack has no output ${key}`);
    return value;
  }

  clean(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface EchoedEvent {
  readonly rawPath: string;
  readonly routeKey: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly requestContext: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

/** What the function got. */
export async function echoed(response: Response): Promise<EchoedEvent> {
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as EchoedEvent;
}

/** An OpenID provider, as far as a resource server needs one: its discovery document and its keys. */
export class Issuer {
  readonly #server: Server;
  #key: { readonly id: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  /** How often the keys were fetched. */
  fetches = 0;
  /** Answers nothing but errors. */
  isDown = false;

  private constructor() {
    this.#key = newKey('key-1');
    this.#server = createServer((request, response) => {
      if (this.isDown) return void response.writeHead(503).end();
      if (request.url === '/.well-known/openid-configuration') {
        return void response.end(JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` }));
      }
      this.fetches += 1;
      const { id, publicKey } = this.#key;
      response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: id, alg: 'RS256' }] }));
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on tokens are signed with another key. */
  rotate(): void {
    this.#key = newKey(`key-${Date.now()}`);
  }

  token(claims: object, { alg = 'RS256', kid = this.#key.id, key = this.#key.privateKey } = {}): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg, kid })}.${part({ iss: this.url, ...claims })}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function newKey(id: string) {
  return { id, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

/** A private key that no issuer knows. */
export const strangersKey = (): KeyObject => newKey('stranger').privateKey;
