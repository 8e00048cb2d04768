import type { CallOptions } from './api-types.ts';

interface Page {
  readonly cursor?: string | undefined;
}
interface PagedRequest {
  readonly query?: { readonly cursor?: string | undefined };
}

/**
 * All pages of a list, one request after the other: `for await (const { things } of pages(client.listThings, { query }))`. A page
 * may be short, or even empty, and not the last. Begins at the cursor of the request, if it has one.
 */
export async function* pages<Request, Answer extends Page>(
  list: (request: Request, options?: CallOptions) => Promise<Answer>,
  request: NoInfer<NonNullable<Request>> & PagedRequest,
  options: CallOptions = {},
): AsyncGenerator<Answer, void, undefined> {
  let { cursor } = request.query ?? {};
  do {
    const page = await list(
      { ...request, query: { ...request.query, ...(cursor !== undefined && { cursor }) } },
      options,
    );
    yield page;
    ({ cursor } = page);
  } while (cursor !== undefined);
}
