import type { rolloutsRoutes } from '@thingstead/contracts/routes/rollouts';
import * as v from 'valibot';
import { type Refusal, type RouteHandlers, refusal } from '../http/request.ts';
import { openCursor, sealCursor } from '../things/cursor.ts';
import { BEGINNING, candidatesFrom } from './candidates.ts';
import { type CreatePorts, create, findRelease } from './create.ts';
import { abort, type OperatePorts, operate, pause, resume, retryFailed } from './operate.ts';
import type { CandidatePorts, Offers, RolloutDeviceLists, RolloutDevices, RolloutLists, Rollouts } from './ports.ts';
import { deviceViewOf, firmwareOf, summaryOf, viewOf } from './views.ts';

const DEFAULT_LIMIT = 25;
const DEFAULT_DEVICES = 100;
/** Names that one page of a dry run reads. */
const DRY_RUN_NAMES = 300;

const PlaceSchema = v.object({ list: v.number(), name: v.string() });

export interface Ports extends CreatePorts, OperatePorts, CandidatePorts {
  readonly rollouts: Rollouts & RolloutLists;
  readonly devices: RolloutDeviceLists & Pick<RolloutDevices, 'find'>;
  readonly offers: Pick<Offers, 'read' | 'readAll'>;
  readonly reports: { decided(rollout: string, by: string, what: string): void };
}

/** What answers the routes of rollouts. */
export function rolloutsHandlers(ports: Ports): RouteHandlers<typeof rolloutsRoutes> {
  const { rollouts, devices, offers, reports, now } = ports;
  const operated = (operation: Parameters<typeof operate>[1], what: string) =>
    async function handle({
      caller,
      params,
    }: {
      readonly caller: { readonly person: string };
      readonly params: { readonly rollout: string };
    }) {
      const outcome = await operate(params.rollout, operation, caller.person, ports);
      if (outcome.kind === 'none') return noRollout(params.rollout);
      if (outcome.kind === 'refused') return refusal(409, `the rollout cannot do that: ${outcome.reason}`);
      reports.decided(params.rollout, caller.person, what);
      return { ok: true as const, body: summaryOf(outcome.rollout) };
    };
  return {
    async createRollout({ caller, body }) {
      const created = await create(body, caller.person, ports);
      if (created.kind !== 'created') return noRelease(created, body);
      reports.decided(created.rollout.id, caller.person, 'create');
      return { ok: true, body: summaryOf(created.rollout) };
    },

    async dryRunRollout({ body, query }) {
      const found = await findRelease(body, ports);
      if (found.kind !== 'found') return noRelease(found, body);
      const scope = ['dry-run', body];
      const opened = query.cursor === undefined ? undefined : openCursor(query.cursor, PlaceSchema, scope);
      if (opened?.ok === false) return opened;
      const of = { target: body.target, release: found.release };
      const page = await candidatesFrom(opened?.position ?? BEGINNING, DRY_RUN_NAMES, of, ports, now());
      const { candidates, next } = page;
      return { ok: true, body: { devices: [...candidates], ...(next && { cursor: sealCursor(next, scope) }) } };
    },

    async listRollouts({ query }) {
      const { limit = DEFAULT_LIMIT } = query;
      const opened = query.cursor === undefined ? undefined : openCursor(query.cursor, v.string(), ['rollouts']);
      if (opened?.ok === false) return opened;
      const rows = await rollouts.list(opened?.position, limit);
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return {
        ok: true,
        body: { rollouts: rows.map(summaryOf), ...(last && { cursor: sealCursor(last.id, ['rollouts']) }) },
      };
    },

    async getRollout({ params }) {
      const [row, counts] = await Promise.all([rollouts.read(params.rollout), rollouts.counts(params.rollout)]);
      return row ? { ok: true, body: viewOf(row, counts) } : noRollout(params.rollout);
    },

    async listRolloutDevices({ params, query }) {
      const { state, cursor, limit = DEFAULT_DEVICES } = query;
      if (!(await rollouts.read(params.rollout))) return noRollout(params.rollout);
      const scope = ['devices', params.rollout, state];
      const opened = cursor === undefined ? undefined : openCursor(cursor, v.string(), scope);
      if (opened?.ok === false) return opened;
      const { rows, next } = await devices.list(params.rollout, { after: opened?.position ?? '', limit, state });
      return {
        ok: true,
        body: {
          devices: rows.map(deviceViewOf),
          ...(next !== undefined && { cursor: sealCursor(next, scope) }),
        },
      };
    },

    async getRolloutReport({ params }) {
      const events = await rollouts.events(params.rollout);
      return events.length > 0 ? { ok: true, body: { events: [...events] } } : noRollout(params.rollout);
    },

    pauseRollout: operated(pause, 'pause'),
    resumeRollout: operated(resume, 'resume'),
    abortRollout: operated(abort, 'abort'),
    retryRollout: operated(retryFailed, 'retry'),

    async getFirmware({ params: { thing } }) {
      const device = (await offers.read(thing)) ?? {};
      const { rollout, order } = device;
      const row = rollout === undefined || order === undefined ? undefined : await devices.find(rollout, order, thing);
      return { ok: true, body: firmwareOf(thing, device, row) };
    },
  };
}

function noRollout(rollout: string): Refusal {
  return refusal(404, `there is no rollout ${rollout}`);
}

function noRelease(
  outcome: { readonly kind: 'no-release' } | { readonly kind: 'refused'; readonly reason: string },
  { product, counter }: { readonly product: string; readonly counter: number },
): Refusal {
  return outcome.kind === 'refused'
    ? refusal(409, `release ${counter} of ${product} cannot be rolled out: ${outcome.reason}`)
    : refusal(404, `there is no release ${counter} of ${product}`);
}
