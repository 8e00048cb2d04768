import type { ReleaseRow, TrustRow } from '@thingstead/contracts/firmware-store';
import type { firmwareRoutes, Release, Trust } from '@thingstead/contracts/routes/firmware';
import { type Refusal, type RouteHandlers, refusal } from '../http/request.ts';
import { completeRelease, noSuchRelease } from './complete-release.ts';
import type { Page, Ports } from './ports.ts';
import { publishRelease } from './publish-release.ts';
import { publishTrust } from './publish-trust.ts';
import { yankRelease } from './yank-release.ts';

const DEFAULT_LIMIT = 25;

/** What answers the routes of firmware releases. */
export function firmwareHandlers(ports: Ports): RouteHandlers<typeof firmwareRoutes> {
  const { trust, releases, reports, now } = ports;
  return {
    async publishTrust({ caller, body }) {
      const published = await publishTrust({ document: body.document, by: caller.person }, ports);
      return published.ok ? { ok: true, body: trustView(published.row) } : published;
    },

    async listTrust({ query }) {
      const range = rangeOf(query);
      if (!range) return WRONG_CURSOR;
      const page = await trust.list(range);
      return { ok: true, body: { documents: page.rows.map(trustView), ...cursorOf(page, (row) => row.trust.version) } };
    },

    async publishRelease({ caller, body }) {
      const published = await publishRelease({ release: body.release, by: caller.person }, ports);
      if (!published.ok) return published;
      const { row, upload } = published;
      const url = upload && { upload: { ...upload, headers: { ...upload.headers } } };
      return { ok: true, body: { release: releaseView(row), ...url } };
    },

    async completeRelease({ caller, params }) {
      const completed = await completeRelease({ ...params, by: caller.person }, ports);
      return completed.ok ? { ok: true, body: releaseView(completed.row) } : completed;
    },

    async yankRelease({ caller, params, body }) {
      const yanked = await yankRelease({ ...params, by: caller.person, reason: body.reason }, ports);
      return yanked.ok ? { ok: true, body: releaseView(yanked.row) } : yanked;
    },

    async listReleases({ params, query }) {
      const range = rangeOf(query);
      if (!range) return WRONG_CURSOR;
      const page = await releases.list(params.product, range);
      return {
        ok: true,
        body: { releases: page.rows.map(releaseView), ...cursorOf(page, (row) => row.manifest.counter) },
      };
    },

    async getRelease({ params }) {
      const row = await releases.read(params.product, params.counter);
      return row ? { ok: true, body: releaseView(row) } : noSuchRelease(params);
    },

    async getCurrentRelease({ params }) {
      const row = await releases.current(params.product);
      return row ? { ok: true, body: row } : refusal(404, `${params.product} has no current release`);
    },

    async setCurrentRelease({ caller, params, body }) {
      const { product } = params;
      const row = { product, counter: body.counter, changedAt: now(), changedBy: caller.person };
      if (!(await releases.makeCurrent(row))) {
        return refusal(409, `${product} ${body.counter} is not released, or yanked`);
      }
      reports.released({ product, counter: body.counter, step: 'current', by: caller.person });
      return { ok: true, body: row };
    },

    async unsetCurrentRelease({ caller, params }) {
      await releases.unsetCurrent(params.product);
      reports.released({ product: params.product, counter: 0, step: 'not-current', by: caller.person });
      return { ok: true, body: undefined };
    },
  };
}

const WRONG_CURSOR: Refusal = refusal(400, 'query.cursor must be the cursor of an earlier answer');

/** A cursor is the number with which the page before ended. Undefined when it is none. */
function rangeOf({
  cursor,
  limit = DEFAULT_LIMIT,
}: {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}): { readonly before: number | undefined; readonly limit: number } | undefined {
  if (cursor === undefined) return { before: undefined, limit };
  return /^\d{1,16}$/.test(cursor) ? { before: Number(cursor), limit } : undefined;
}

function cursorOf<Row>({ rows, more }: Page<Row>, number: (row: Row) => number): { readonly cursor?: string } {
  const last = rows.at(-1);
  return more && last !== undefined ? { cursor: String(number(last)) } : {};
}

function releaseView({
  release,
  manifest,
  state,
  createdAt,
  createdBy,
  changedAt,
  reason,
  yankedBy,
}: ReleaseRow): Release {
  const { type: _, ...said } = manifest;
  return {
    ...{ ...said, state, createdAt, createdBy, changedAt, release },
    ...(reason !== undefined && { reason }),
    ...(yankedBy !== undefined && { yankedBy }),
  };
}

function trustView({ trust, document, createdAt, createdBy }: TrustRow): Trust {
  return { version: trust.version, trust, document, createdAt, createdBy };
}
