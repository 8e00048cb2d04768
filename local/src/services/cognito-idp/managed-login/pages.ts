import { createHash } from 'node:crypto';
import type { WireResponse } from '../../../kernel/wire.ts';
import { Html, html } from './html.ts';

const STYLE = `body{font-family:system-ui,sans-serif;background:#f4f5f7;color:#1c1e21;margin:0}
main{max-width:22rem;margin:12vh auto;padding:2rem;background:#fff;border:1px solid #d9dce1;border-radius:8px}
h1{font-size:1.4rem;margin:0 0 1rem}
label{display:block;margin:.8rem 0 .2rem}
input{width:100%;box-sizing:border-box;padding:.55rem;font:inherit;border:1px solid #8b919c;border-radius:4px}
button{margin-top:1.2rem;width:100%;padding:.6rem;font:inherit;color:#fff;background:#1f5fbf;border:0;border-radius:4px}
[role=alert]{color:#a3170b}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

interface PageOptions {
  readonly status?: number;
  readonly cookie?: string | undefined;
  /** Where the form leads in the end: browsers check redirects after a form as well. */
  readonly leadsTo?: string;
}

/** A page without scripts and without anything from elsewhere; no other page may show it in a frame. */
export function page(title: string, content: Html, { status = 200, cookie, leadsTo }: PageOptions = {}): WireResponse {
  const formAction = leadsTo === undefined ? "'none'" : `'self' ${sourceOf(leadsTo)}`;
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body><main>
<h1>${title}</h1>
${content}
</main></body>
</html>
`;
  return {
    status,
    headers: {
      'content-type': 'text/html;charset=UTF-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      ...(cookie && { 'set-cookie': cookie }),
    },
    body: text.text,
  };
}

/** What is shown where there is no app to go back to. Says nothing that came with the request. */
export function errorPage(message: string, status = 400): WireResponse {
  return page('An error was encountered with the requested page.', html`<p role="alert">${message}</p>`, { status });
}

export interface FormOptions {
  readonly action: string;
  readonly csrfToken: string;
  readonly hidden?: Readonly<Record<string, string>>;
  readonly fields: readonly Html[];
  readonly button: string;
  readonly message?: string | undefined;
}

/** A form that is sent with POST. */
export function form({ action, csrfToken, hidden = {}, fields, button, message }: FormOptions): Html {
  const kept = Object.entries({ _csrf: csrfToken, ...hidden }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`${message === undefined ? undefined : html`<p role="alert">${message}</p>`}
<form method="post" action="${action}">
${kept}
${fields}
<button type="submit">${button}</button>
</form>`;
}

export interface FieldOptions {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'email' | 'password' | 'tel';
  /** What the browser may fill in: `username`, `current-password`, `one-time-code`. */
  readonly autocomplete: string;
  readonly value?: string | undefined;
}

export function field({ name, label, type, autocomplete, value = '' }: FieldOptions): Html {
  return html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${value}" required>
`;
}

/** The origin of an address, or its scheme where it has none: `myapp:`. */
function sourceOf(uri: string): string {
  const { origin, protocol } = new URL(uri);
  return origin === 'null' ? protocol : origin;
}
