/** A browser without JavaScript, as far as forms need one: cookies by path, redirects one by one, forms with their hidden fields. */

/** A page, or a redirect that was not followed. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Where a redirect leads; undefined for a page. */
  readonly location: string | undefined;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

type Fields = Readonly<Record<string, string>>;

export class Browser {
  #cookies: readonly Cookie[] = [];

  /** What was set with this name, whatever the path. */
  cookie(name: string): string | undefined {
    return this.#cookies.find((each) => each.name === name)?.value;
  }

  get(url: string, headers: Fields = {}): Promise<Page> {
    return this.#send(url, { headers });
  }

  /** Follows redirects that stay on the host of the first address. */
  async visit(url: string): Promise<Page> {
    let page = await this.get(url);
    while (page.location !== undefined && new URL(page.location).host === new URL(url).host) {
      page = await this.get(page.location);
    }
    return page;
  }

  /** Sends the form of a page. Fields that it does not have are refused, as no person could fill them in. */
  submit(page: Page, given: Fields, headers: Fields = {}): Promise<Page> {
    const action = /<form method="post" action="([^"]*)"/.exec(page.text)?.[1];
    if (action === undefined) throw new Error(`there is no form on ${page.url}: ${page.text}`);
    const fields = inputsOf(page.text);
    for (const name of Object.keys(given)) {
      if (!(name in fields)) throw new Error(`the form has no ${name}, but ${Object.keys(fields)}`);
    }
    const body = new URLSearchParams({ ...fields, ...given });
    return this.#send(new URL(plainText(action), page.url).href, { method: 'POST', body, headers });
  }

  async #send(url: string, init: { method?: string; body?: URLSearchParams; headers: Fields }): Promise<Page> {
    const { pathname } = new URL(url);
    const cookie = this.#cookies
      .filter(({ path }) => pathname === path || pathname.startsWith(`${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const headers = { ...(cookie !== '' && { cookie }), ...init.headers };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const text of response.headers.getSetCookie()) this.#keep(text);
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: location === null ? undefined : new URL(location, url).href,
    };
  }

  #keep(text: string): void {
    const [pair = '', ...attributes] = text.split('; ');
    const [name = '', value = ''] = pair.split('=');
    const path = attributes.find((each) => each.startsWith('Path='))?.slice(5) ?? '/';
    const others = this.#cookies.filter((each) => each.name !== name || each.path !== path);
    this.#cookies = attributes.includes('Max-Age=0') ? others : [...others, { name, value, path }];
  }
}

/** Name -> value of the inputs of a page. */
function inputsOf(text: string): Fields {
  const inputs = [...text.matchAll(/<input ([^>]*)>/g)].map(([, attributes = '']) => {
    const read = (name: string) => plainText(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
    return [read('name'), read('value')] as const;
  });
  return Object.fromEntries(inputs);
}

function plainText(text: string): string {
  const characters: Fields = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replace(/&(\w+|#39);/g, (all, name: string) => characters[name] ?? all);
}
