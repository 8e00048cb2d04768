/** Routes of rollouts, for staff; and what firmware a thing has, for those who have the thing. */
import * as v from 'valibot';
import { Product, UPDATE_FAILURES, UPDATE_STATES } from '../firmware.ts';
import { PersonId, ThingName } from '../grants.ts';
import { PAUSE_REASONS, RolloutEvent } from '../rollout-store.ts';
import {
  NewRollout,
  ROLLOUT_DEVICE_STATES,
  ROLLOUT_STATES,
  RolloutId,
  RolloutSettings,
  SKIP_REASONS,
} from '../rollouts.ts';
import { Cursor, EpochMilliseconds, None, queryInteger, route } from './route.ts';

const operators = { kind: 'staff', groups: ['operator'] } as const;
const staff = { kind: 'staff', groups: ['operator', 'support'] } as const;

const RolloutParams = v.strictObject({ rollout: RolloutId });
const NO_SUCH_ROLLOUT = { 404: 'there is no such rollout' };
const NO_RELEASE = {
  404: 'there is no such release',
  409: 'the release is not there yet, was yanked, or has expired',
};

const Natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Devices by state; what is 0 is left out. */
const Numbers = v.record(v.string(), Natural);

const RolloutSummary = v.object({
  id: RolloutId,
  product: Product,
  counter: Natural,
  version: v.string(),
  state: v.picklist(ROLLOUT_STATES),
  /** Of its state. */
  reason: v.optional(v.string()),
  pausedFor: v.optional(v.picklist(PAUSE_REASONS)),
  createdAt: EpochMilliseconds,
  createdBy: PersonId,
  /** When it came into its state. */
  changedAt: EpochMilliseconds,
  /** Since when nothing comes of it any more. */
  endedAt: v.optional(EpochMilliseconds),
  /** Counted from 0. */
  wave: Natural,
  settings: RolloutSettings,
});
export type RolloutSummary = v.InferOutput<typeof RolloutSummary>;

export const Rollout = v.object({
  ...RolloutSummary.entries,
  /** When it is looked at again; long past: its tick was lost, and resuming it sends another. */
  nextTickAt: v.optional(EpochMilliseconds),
  /** Devices that get it, or would have. */
  total: Natural,
  numbers: Numbers,
  waves: v.array(Numbers),
});
export type Rollout = v.InferOutput<typeof Rollout>;

const RolloutDevice = v.object({
  thing: ThingName,
  state: v.picklist(ROLLOUT_DEVICE_STATES),
  wave: v.optional(Natural),
  attempt: v.optional(v.string()),
  attempts: Natural,
  changedAt: EpochMilliseconds,
  startedAt: v.optional(EpochMilliseconds),
  committedAt: v.optional(EpochMilliseconds),
  /** What it said last. */
  said: v.optional(v.picklist(UPDATE_STATES)),
  bytes: v.optional(Natural),
  failure: v.optional(v.picklist(UPDATE_FAILURES)),
  reason: v.optional(v.string()),
  /** What it said after its end. */
  late: v.optional(v.picklist(UPDATE_STATES)),
});
export type RolloutDevice = v.InferOutput<typeof RolloutDevice>;

const Operated = {
  params: RolloutParams,
  query: None,
  body: undefined,
  status: 200,
  answer: RolloutSummary,
  audience: operators,
  method: 'POST',
} as const;

export const rolloutsRoutes = {
  createRollout: route({
    operationId: 'createRollout',
    method: 'POST',
    path: '/operator/rollouts',
    summary: 'Brings a release to devices, wave by wave',
    audience: operators,
    params: None,
    query: None,
    body: NewRollout,
    status: 201,
    answer: RolloutSummary,
    problems: {
      ...NO_RELEASE,
      409: `${NO_RELEASE[409]}; or another rollout has this id, or a thing that is named is not there`,
    },
  }),
  dryRunRollout: route({
    operationId: 'dryRunRollout',
    method: 'POST',
    path: '/operator/rollouts/dry-run',
    summary: 'Who would get a release, in which order, and who would be passed over, page by page; nothing is done',
    audience: staff,
    params: None,
    query: v.strictObject({ cursor: v.optional(Cursor) }),
    body: NewRollout,
    status: 200,
    answer: v.object({
      devices: v.array(
        v.object({
          thing: ThingName,
          /** Those with the lowest are in the first wave. */
          order: v.string(),
          skip: v.optional(v.picklist(SKIP_REASONS)),
        }),
      ),
      cursor: v.optional(v.string()),
    }),
    problems: NO_RELEASE,
  }),
  listRollouts: route({
    operationId: 'listRollouts',
    method: 'GET',
    path: '/operator/rollouts',
    summary: 'Rollouts, the newest first',
    audience: staff,
    params: None,
    query: v.strictObject({ limit: v.optional(queryInteger(1, 100)), cursor: v.optional(Cursor) }),
    body: undefined,
    status: 200,
    answer: v.object({ rollouts: v.array(RolloutSummary), cursor: v.optional(v.string()) }),
    problems: {},
  }),
  getRollout: route({
    operationId: 'getRollout',
    method: 'GET',
    path: '/operator/rollouts/{rollout}',
    summary: 'One rollout, with its devices by state and wave',
    audience: staff,
    params: RolloutParams,
    query: None,
    body: undefined,
    status: 200,
    answer: Rollout,
    problems: NO_SUCH_ROLLOUT,
  }),
  listRolloutDevices: route({
    operationId: 'listRolloutDevices',
    method: 'GET',
    path: '/operator/rollouts/{rollout}/devices',
    summary: 'Devices of a rollout in their order. A page may be short and carry a cursor',
    audience: staff,
    params: RolloutParams,
    query: v.strictObject({
      state: v.optional(v.picklist(ROLLOUT_DEVICE_STATES)),
      limit: v.optional(queryInteger(1, 1000)),
      cursor: v.optional(Cursor),
    }),
    body: undefined,
    status: 200,
    answer: v.object({ devices: v.array(RolloutDevice), cursor: v.optional(v.string()) }),
    problems: NO_SUCH_ROLLOUT,
  }),
  getRolloutReport: route({
    operationId: 'getRolloutReport',
    method: 'GET',
    path: '/operator/rollouts/{rollout}/report',
    summary: 'Every decision about a rollout, with the numbers it went by',
    audience: staff,
    params: RolloutParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({ events: v.array(RolloutEvent) }),
    problems: NO_SUCH_ROLLOUT,
  }),
  pauseRollout: route({
    ...Operated,
    operationId: 'pauseRollout',
    path: '/operator/rollouts/{rollout}/pause',
    summary: 'Nothing new starts; what has begun goes on, but nobody is granted a download',
    problems: { ...NO_SUCH_ROLLOUT, 409: 'it does not run' },
  }),
  resumeRollout: route({
    ...Operated,
    operationId: 'resumeRollout',
    path: '/operator/rollouts/{rollout}/resume',
    summary: 'It goes on; one that its wave has paused, with the next wave. One that runs gets another tick',
    problems: { ...NO_SUCH_ROLLOUT, 409: 'it has ended' },
  }),
  abortRollout: route({
    ...Operated,
    operationId: 'abortRollout',
    path: '/operator/rollouts/{rollout}/abort',
    summary: 'Ends it for good: who is untouched stays so, who can still stop is told to',
    problems: { ...NO_SUCH_ROLLOUT, 409: 'it is complete' },
  }),
  retryRollout: route({
    ...Operated,
    operationId: 'retryRollout',
    path: '/operator/rollouts/{rollout}/retry-failed',
    summary: 'Gives devices that have failed another attempt',
    problems: { ...NO_SUCH_ROLLOUT, 409: 'it was aborted, or has not begun' },
  }),
  getFirmware: route({
    operationId: 'getFirmware',
    method: 'GET',
    path: '/things/{thing}/firmware',
    summary: 'What firmware a thing runs, and how far its update is',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: v.strictObject({ thing: ThingName }),
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({
      thing: ThingName,
      /** As it last said when it started; absent: it never did. */
      running: v.optional(v.object({ version: v.string(), counter: Natural, at: EpochMilliseconds })),
      /** The last one that it was offered. */
      update: v.optional(
        v.object({
          version: v.string(),
          counter: Natural,
          offeredAt: EpochMilliseconds,
          /** Nothing comes of it any more. */
          ended: v.boolean(),
          /** Of its rollout; absent: it gets what is current. */
          state: v.optional(v.picklist(ROLLOUT_DEVICE_STATES)),
          said: v.optional(v.picklist(UPDATE_STATES)),
          bytes: v.optional(Natural),
          size: v.optional(Natural),
          failure: v.optional(v.picklist(UPDATE_FAILURES)),
          reason: v.optional(v.string()),
        }),
      ),
    }),
    problems: { 404: 'there is no such thing, or it is not mine' },
  }),
};
