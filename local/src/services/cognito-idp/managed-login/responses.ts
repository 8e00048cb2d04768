import type { WireRequest, WireResponse } from '../../../kernel/wire.ts';
import { ANY_ORIGIN } from '../../public-requests.ts';
import { invalidRequest, type OAuthError } from './oauth-error.ts';

/** Answers with tokens and codes stay in no cache (RFC 6749, 5.1). */
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' };

export function json(status: number, body: object): WireResponse {
  const headers = { 'content-type': 'application/json;charset=UTF-8', ...NO_STORE, ...ANY_ORIGIN };
  return { status, headers, body: JSON.stringify(body) };
}

/** What a browser asks before a web page of another origin may call an endpoint; undefined for every other request. */
export function preflight({ method, headers }: WireRequest): WireResponse | undefined {
  if (method !== 'OPTIONS' || headers.origin === undefined) return undefined;
  const allowed = {
    'access-control-allow-methods': 'GET,POST',
    'access-control-allow-headers': 'authorization,content-type,x-amz-user-agent',
    'access-control-max-age': '7200',
  };
  return { status: 200, headers: { ...ANY_ORIGIN, ...allowed }, body: '' };
}

export function errorJson({ status, code, description }: OAuthError): WireResponse {
  return json(status, { error: code, ...(description !== undefined && { error_description: description }) });
}

/** Sends the browser elsewhere, perhaps with a cookie. */
export function redirect(location: string, cookie?: string): WireResponse {
  return { status: 302, headers: { location, ...NO_STORE, ...(cookie && { 'set-cookie': cookie }) }, body: '' };
}

/** An address with more parameters; what is there is left as it stands, as apps compare it. */
export function withQuery(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((each): each is [string, string] => each[1] !== undefined);
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(given)}`;
}

/**
 * The form in the body of a POST.
 *
 * @throws OAuthError invalid_request for another content type and for parameters that come twice (RFC 6749, 3.2)
 */
export function formOf({ headers, body }: WireRequest): Readonly<Record<string, string>> {
  const [type] = (headers['content-type'] ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw invalidRequest('The body is application/x-www-form-urlencoded');
  }
  const form = new URLSearchParams(body.toString());
  const twice = [...form.keys()].find((name) => form.getAll(name).length > 1);
  if (twice !== undefined) throw invalidRequest(`${twice} is given more than once`);
  return Object.fromEntries(form);
}
