/** Routes that list, find, show and set things. */
import * as v from 'valibot';
import { PersonId, Role, SiteName, ThingName } from '../grants.ts';
import { SENSOR_NAME } from '../names.ts';
import { ReadingValue } from '../telemetry.ts';
import { Cursor, displayText, EpochMilliseconds, None, queryInteger, route } from './route.ts';

const ThingParams = v.strictObject({ thing: ThingName });
const SensorName = v.pipe(v.string(), v.regex(SENSOR_NAME, 'is no name of a sensor'));
const NO_SUCH_THING = { 404: 'there is no such thing, or it is not mine' };

/** Rows that one page of a list examines at most; a page may be short and carry a cursor. */
export const MAX_ROWS_EXAMINED = 1_000;

/** Members of the state that tell of the connection. */
const PRESENCE_MEMBERS = ['connected', 'session'] as const;

/** A schema of records would take a list too, for one whose names are numbers. */
const DesiredState = v.custom<Readonly<Record<string, unknown>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !PRESENCE_MEMBERS.some((name) => Object.hasOwn(value, name)),
  `must be an object that has none of ${PRESENCE_MEMBERS.join(', ')}: a device reports these, and nobody desires them`,
);

const Latest = v.object({ value: ReadingValue, unit: v.optional(v.string()), time: EpochMilliseconds });

export const Thing = v.object({
  thing: ThingName,
  site: v.optional(v.string()),
  label: v.optional(v.string()),
  /** Mine; absent for staff without a grant. */
  role: v.optional(Role),
  thingType: v.optional(v.string()),
  model: v.optional(v.string()),
  hardwareRevision: v.optional(v.string()),
  serial: v.optional(v.string()),
  firmwareVersion: v.optional(v.string()),
  sensors: v.array(v.object({ name: v.string(), unit: v.optional(v.string()) })),
  capabilities: v.array(v.string()),
  gateway: v.optional(v.string()),
  /** Absent while nothing was ever heard of its connection. */
  connected: v.optional(v.boolean()),
  /** Since when it is connected, or not. */
  since: v.optional(EpochMilliseconds),
});
export type Thing = v.InferOutput<typeof Thing>;

const Filters = {
  /** Also matches things whose label or name has this text in it, whatever its case. */
  text: v.optional(displayText(64)),
  site: v.optional(SiteName),
  type: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'is no thing type'))),
  connected: v.optional(
    v.pipe(
      v.picklist(['true', 'false']),
      v.transform((text) => text === 'true'),
    ),
  ),
  firmware: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/, 'is no firmware version'))),
  /** Of the thing's name. */
  prefix: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'is no beginning of a thing name'))),
  limit: v.optional(queryInteger(1, 100)),
  cursor: v.optional(Cursor),
};
const Page = v.object({ things: v.array(Thing), cursor: v.optional(v.string()) });

const Sections = v.object({
  desired: v.optional(v.record(v.string(), v.unknown())),
  reported: v.optional(v.record(v.string(), v.unknown())),
  /** What is desired and not reported. */
  delta: v.optional(v.record(v.string(), v.unknown())),
});
const State = v.object({ ...Sections.entries, version: v.pipe(v.number(), v.integer()), at: EpochMilliseconds });

const Summary = v.object({
  time: EpochMilliseconds,
  count: v.number(),
  min: v.optional(v.number()),
  max: v.optional(v.number()),
  mean: v.optional(v.number()),
  last: ReadingValue,
});
export type Summary = v.InferOutput<typeof Summary>;

export const thingsRoutes = {
  listThings: route({
    operationId: 'listThings',
    method: 'GET',
    path: '/things',
    summary: 'My things and those that are shared with me, by name',
    audience: { kind: 'person' },
    params: None,
    query: v.strictObject({ ...Filters, role: v.optional(Role) }),
    body: undefined,
    status: 200,
    answer: Page,
    problems: {},
  }),
  listFleet: route({
    operationId: 'listFleet',
    method: 'GET',
    path: '/operator/things',
    summary: 'All things of the fleet, by name',
    audience: { kind: 'staff', groups: ['operator', 'support'] },
    params: None,
    query: v.strictObject({ ...Filters, owner: v.optional(PersonId) }),
    body: undefined,
    status: 200,
    answer: Page,
    problems: {},
  }),
  getThing: route({
    operationId: 'getThing',
    method: 'GET',
    path: '/things/{thing}',
    summary: 'One thing, with the latest reading of each sensor',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: ThingParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({ ...Thing.entries, latest: v.record(v.string(), Latest) }),
    problems: NO_SUCH_THING,
  }),
  patchThing: route({
    operationId: 'patchThing',
    method: 'PATCH',
    path: '/things/{thing}',
    summary: 'Names a thing for people',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: ThingParams,
    query: None,
    /** Null takes the label away. */
    body: v.strictObject({ label: v.nullable(displayText(64)) }),
    status: 200,
    answer: Thing,
    problems: NO_SUCH_THING,
  }),
  getTelemetry: route({
    operationId: 'getTelemetry',
    method: 'GET',
    path: '/things/{thing}/telemetry',
    summary: 'Readings of a sensor, oldest first: as they came, or summed up by minute or hour (UTC)',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: ThingParams,
    query: v.strictObject({
      sensor: SensorName,
      /** Inclusive, epoch milliseconds. */
      from: queryInteger(0, 8_640_000_000_000_000),
      /** Exclusive. */
      to: queryInteger(0, 8_640_000_000_000_000),
      resolution: v.optional(v.picklist(['raw', 'minute', 'hour']), 'raw'),
      limit: v.optional(queryInteger(1, 1000)),
      cursor: v.optional(Cursor),
    }),
    body: undefined,
    status: 200,
    answer: v.object({
      /** With resolution `raw`. */
      readings: v.optional(v.array(Latest)),
      /** With the others. */
      summaries: v.optional(v.array(Summary)),
      cursor: v.optional(v.string()),
    }),
    problems: NO_SUCH_THING,
  }),
  getState: route({
    operationId: 'getState',
    method: 'GET',
    path: '/things/{thing}/state',
    summary: 'Reported and desired state, from the classic shadow; its version is in the header `etag`',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: ThingParams,
    query: None,
    body: undefined,
    status: 200,
    answer: State,
    problems: NO_SUCH_THING,
  }),
  patchState: route({
    operationId: 'patchState',
    method: 'PATCH',
    path: '/things/{thing}/state',
    summary:
      'Sets members of the desired state; null removes one. With `If-Match` only if nobody changed the state since',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: ThingParams,
    query: None,
    headers: v.object({
      /** A version, as `etag` had it. */
      'if-match': v.optional(
        v.pipe(v.string(), v.regex(/^"\d{1,15}"$/, 'must be a version in quotes, as the header etag had it')),
      ),
    }),
    body: v.strictObject({
      desired: DesiredState,
    }),
    status: 200,
    answer: State,
    problems: {
      ...NO_SUCH_THING,
      409: 'it was changed at the same time; read it and try again',
      412: 'the state has another version than `If-Match` says',
    },
  }),
};
