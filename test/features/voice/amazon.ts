/** Amazon's side on this machine: Login with Amazon, and Alexa's event gateway, which takes only what Alexa would take. */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { readReport } from '../../support/alexa-message.ts';

export const CLIENT_ID = 'amzn1.application-oa2-client.1';
export const CLIENT_SECRET = 'the-secret-of-the-skill';
const HOUR_SECONDS = 3600;

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
type Report = any;

export class Amazon {
  /** What the gateway has taken, in order. */
  readonly taken: Report[] = [];
  /** What it has refused as no message of Alexa's, with the reason. */
  readonly malformed: string[] = [];
  /** Every token that was given out. */
  readonly tokens: string[] = [];
  /** Requests to either. */
  requests = 0;
  /** How the gateway answers instead, request by request. */
  readonly #refusals: { readonly status: number; readonly code: string }[] = [];
  readonly #codes = new Map<string, string>();
  readonly #access = new Set<string>();
  readonly #refresh = new Map<string, string>();
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** A code as Alexa sends it to the skill for someone; their reports come with a token of theirs. */
  newCode(person: string): string {
    const code = randomUUID();
    this.#codes.set(code, person);
    return code;
  }

  /** No access token that was given out is taken any more. */
  forgetAccessTokens(): void {
    this.#access.clear();
  }

  /** No refresh token either. */
  forgetRefreshTokens(): void {
    this.#refresh.clear();
  }

  /** The gateway's answers to the next requests. */
  refuse(...refusals: readonly { readonly status: number; readonly code: string }[]): void {
    this.#refusals.push(...refusals);
  }

  /** What the gateway has taken for someone. */
  reportsFor(person: string): readonly Report[] {
    return this.taken.filter((each) => each.person === person).map((each) => each.report);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const [status, answer] = request.url === '/token' ? this.#login(body) : this.#gateway(body, request.headers);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #login(body: string): readonly [status: number, answer: object] {
    const form = Object.fromEntries(new URLSearchParams(body));
    if (form.client_id !== CLIENT_ID || form.client_secret !== CLIENT_SECRET) return [401, { error: 'invalid_client' }];
    if (form.grant_type === 'refresh_token') {
      const person = this.#refresh.get(form.refresh_token ?? '');
      return person === undefined ? [400, { error: 'invalid_grant' }] : this.#give(person, form.refresh_token ?? '');
    }
    const person = this.#codes.get(form.code ?? '');
    this.#codes.delete(form.code ?? '');
    if (form.grant_type !== 'authorization_code' || person === undefined) return [400, { error: 'invalid_grant' }];
    // As long as Amazon's may be: two of them are more than KMS encrypts at once.
    const refresh = `Atzr|${person}|${randomUUID().padEnd(2000, 'r')}`;
    this.#refresh.set(refresh, person);
    return this.#give(person, refresh);
  }

  #give(person: string, refresh_token: string): readonly [number, object] {
    const access_token = `Atza|${person}|${randomUUID().padEnd(2000, 'a')}`;
    this.#access.add(access_token);
    this.tokens.push(access_token, refresh_token);
    return [200, { access_token, refresh_token, token_type: 'bearer', expires_in: HOUR_SECONDS }];
  }

  #gateway(body: string, { authorization }: http.IncomingHttpHeaders): readonly [number, object] {
    const refusal = this.#refusals.shift();
    if (refusal) return [refusal.status, { payload: { code: refusal.code, description: '' } }];
    const token = authorization?.replace(/^Bearer /, '') ?? '';
    if (!this.#access.has(token)) return [401, { payload: { code: 'INVALID_ACCESS_TOKEN_EXCEPTION' } }];
    try {
      const report = readReport(JSON.parse(body));
      const { endpoint, payload } = report.event;
      if ((endpoint?.scope ?? payload.scope).token !== token)
        throw new Error('the token in the message is another one');
      this.taken.push({ person: token.split('|')[1], report });
      return [202, {}];
    } catch (error) {
      this.malformed.push(String(error));
      return [400, { payload: { code: 'INVALID_REQUEST_EXCEPTION' } }];
    }
  }
}
