/** Routes of firmware releases, for staff. What is released is signed elsewhere: these routes verify, keep and withdraw it. */
import * as v from 'valibot';
import { FirmwareManifest, FirmwareTrust, Product, SignedDocument } from '../firmware.ts';
import { RELEASE_STATES } from '../firmware-store.ts';
import { Cursor, displayText, EpochMilliseconds, None, queryInteger, route } from './route.ts';

const operators = { kind: 'staff', groups: ['operator'] } as const;
const staff = { kind: 'staff', groups: ['operator', 'support'] } as const;

const Counter = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const ProductParams = v.strictObject({ product: Product });
const ReleaseParams = v.strictObject({ product: Product, counter: queryInteger(1, Number.MAX_SAFE_INTEGER) });
const NO_SUCH_RELEASE = { 404: 'there is no such release' };

const Release = v.object({
  ...v.omit(FirmwareManifest, ['type']).entries,
  state: v.picklist(RELEASE_STATES),
  createdAt: EpochMilliseconds,
  createdBy: v.string(),
  changedAt: EpochMilliseconds,
  /** Why it was yanked, and by whom. */
  reason: v.optional(v.string()),
  yankedBy: v.optional(v.string()),
  /** As it was signed. */
  release: SignedDocument,
});
export type Release = v.InferOutput<typeof Release>;

const Upload = v.object({
  /** PUT the image there, with these headers: they are signed. */
  url: v.string(),
  headers: v.record(v.string(), v.string()),
  /** It is to be begun with before. */
  expiresAt: EpochMilliseconds,
});

const Trust = v.object({
  version: Counter,
  trust: FirmwareTrust,
  /** As it was signed. */
  document: SignedDocument,
  createdAt: EpochMilliseconds,
  createdBy: v.string(),
});
export type Trust = v.InferOutput<typeof Trust>;

const Current = v.object({
  product: Product,
  counter: Counter,
  changedAt: EpochMilliseconds,
  /** A person, or `rollout#<id>`. */
  changedBy: v.string(),
});

export const firmwareRoutes = {
  publishTrust: route({
    operationId: 'publishTrust',
    method: 'POST',
    path: '/operator/firmware/trust',
    summary: 'Adds the next trust document: devices get it with their next grant. The same one again is the same',
    audience: operators,
    params: None,
    query: None,
    body: v.strictObject({ document: SignedDocument }),
    status: 201,
    answer: Trust,
    problems: {
      409: 'it does not follow the newest one, is not signed by the keys that it has to be signed by, or leaves out the key that assigns',
    },
  }),
  listTrust: route({
    operationId: 'listTrust',
    method: 'GET',
    path: '/operator/firmware/trust',
    summary: 'Trust documents, the newest first',
    audience: staff,
    params: None,
    query: v.strictObject({ limit: v.optional(queryInteger(1, 50)), cursor: v.optional(Cursor) }),
    body: undefined,
    status: 200,
    answer: v.object({ documents: v.array(Trust), cursor: v.optional(v.string()) }),
    problems: {},
  }),
  publishRelease: route({
    operationId: 'publishRelease',
    method: 'POST',
    path: '/operator/firmware/releases',
    summary: 'Begins a release: verifies it, and says where its image goes. The same one again is the same',
    audience: operators,
    params: None,
    query: None,
    body: v.strictObject({ release: SignedDocument }),
    status: 201,
    /** Without `upload` the image is there already. */
    answer: v.object({ release: Release, upload: v.optional(Upload) }),
    problems: {
      409: 'it is not signed by the keys that devices trust, is expired, its product is no thing type, or its counter or version is taken or cannot be reached',
    },
  }),
  completeRelease: route({
    operationId: 'completeRelease',
    method: 'POST',
    path: '/operator/firmware/releases/{product}/{counter}/complete',
    summary: 'Ends the upload: the image is there, with the size and the hash that were signed',
    audience: operators,
    params: ReleaseParams,
    query: None,
    body: undefined,
    status: 200,
    answer: Release,
    problems: { ...NO_SUCH_RELEASE, 409: 'the image is not there, or it is another one; or the release is yanked' },
  }),
  yankRelease: route({
    operationId: 'yankRelease',
    method: 'POST',
    path: '/operator/firmware/releases/{product}/{counter}/yank',
    summary: 'Withdraws a release for good: no device begins it any more, and its rollouts end',
    audience: operators,
    params: ReleaseParams,
    query: None,
    body: v.strictObject({ reason: displayText(500) }),
    status: 200,
    answer: Release,
    problems: NO_SUCH_RELEASE,
  }),
  listReleases: route({
    operationId: 'listReleases',
    method: 'GET',
    path: '/operator/firmware/releases/{product}',
    summary: 'Releases of a product, the highest counter first',
    audience: staff,
    params: ProductParams,
    query: v.strictObject({ limit: v.optional(queryInteger(1, 100)), cursor: v.optional(Cursor) }),
    body: undefined,
    status: 200,
    answer: v.object({ releases: v.array(Release), cursor: v.optional(v.string()) }),
    problems: {},
  }),
  getRelease: route({
    operationId: 'getRelease',
    method: 'GET',
    path: '/operator/firmware/releases/{product}/{counter}',
    summary: 'One release',
    audience: staff,
    params: ReleaseParams,
    query: None,
    body: undefined,
    status: 200,
    answer: Release,
    problems: NO_SUCH_RELEASE,
  }),
  getCurrentRelease: route({
    operationId: 'getCurrentRelease',
    method: 'GET',
    path: '/operator/firmware/current/{product}',
    summary: 'The release that a device of the product gets which is in no rollout',
    audience: staff,
    params: ProductParams,
    query: None,
    body: undefined,
    status: 200,
    answer: Current,
    problems: { 404: 'the product has none' },
  }),
  setCurrentRelease: route({
    operationId: 'setCurrentRelease',
    method: 'PUT',
    path: '/operator/firmware/current/{product}',
    summary: 'Says which release a device of the product gets that is in no rollout, when it next starts',
    audience: operators,
    params: ProductParams,
    query: None,
    body: v.strictObject({ counter: Counter }),
    status: 200,
    answer: Current,
    problems: { 409: 'there is no such release, its image is not there, or it is yanked' },
  }),
  unsetCurrentRelease: route({
    operationId: 'unsetCurrentRelease',
    method: 'DELETE',
    path: '/operator/firmware/current/{product}',
    summary: 'Devices of the product that are in no rollout keep what they have',
    audience: operators,
    params: ProductParams,
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: {},
  }),
};
