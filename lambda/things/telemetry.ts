import type { thingsRoutes } from '@thingstead/contracts/routes/things';
import { type RouteAnswer, type RouteRequest, refusal } from '../http/request.ts';
import { openCursor, sealCursor } from './cursor.ts';
import { missing } from './get-thing.ts';
import type { Ports } from './ports.ts';
import { RawPosition, rawReadings } from './raw-readings.ts';
import { SummaryPosition, summaries } from './summaries.ts';

const DEFAULT_PAGE = 100;

type Request = RouteRequest<typeof thingsRoutes.getTelemetry>;
type Answer = RouteAnswer<typeof thingsRoutes.getTelemetry>;

/** What was measured, and who asks. */
export interface Series {
  readonly thing: string;
  readonly sensor: string;
  /** Inclusive, epoch milliseconds. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Nothing that was measured or arrived earlier is shown. */
  readonly visibleFrom: number;
  /** At most so many on a page. */
  readonly limit: number;
}

/** `GET /things/{thing}/telemetry` */
export async function getTelemetry(request: Request, ports: Ports): Promise<Answer> {
  const { params, query, access, caller } = request;
  const { sensor, from, to, resolution, limit = DEFAULT_PAGE, cursor } = query;
  const { thing } = params;
  if (from >= to) return refusal(400, 'query.from must be before query.to');
  const refused = await missing(thing, access, ports);
  if (refused) return refused;
  const scope = [resolution, caller.person, thing, sensor, from, to];
  const series = { thing, sensor, from, to, visibleFrom: access.visibleFrom, limit };
  if (resolution === 'raw') {
    const opened = cursor === undefined ? undefined : openCursor(cursor, RawPosition, scope);
    if (opened?.ok === false) return opened;
    const visible = { ...series, from: Math.max(from, access.visibleFrom) };
    if (visible.from >= to) return { ok: true, body: { readings: [] } };
    const { readings, next } = await rawReadings(visible, opened?.position, ports.readings);
    return { ok: true, body: { readings, ...(next && { cursor: sealCursor(next, scope) }) } };
  }
  const opened = cursor === undefined ? undefined : openCursor(cursor, SummaryPosition, scope);
  if (opened?.ok === false) return opened;
  const page = await summaries({ ...series, resolution }, opened?.position, ports.readings);
  const { next } = page;
  return {
    ok: true,
    body: { summaries: page.summaries, ...(next !== undefined && { cursor: sealCursor(next, scope) }) },
  };
}
