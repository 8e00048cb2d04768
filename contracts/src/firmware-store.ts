/** The firmware table: releases, trust documents, and which release of a product is current. Rollouts are in `rollout-store.ts`. */
import * as v from 'valibot';
import { FirmwareManifest, FirmwareTrust, Product, SignedDocument } from './firmware.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Counter = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Sparse index of rows of which something is due: partition key `dueShard`, sort key `dueAt`. It holds keys only. */
export const FIRMWARE_BY_DUE = 'by-due';

/** Names of the KMS keys: one signs releases, the other one which release a device gets now. */
export const FIRMWARE_KEY_ALIASES = {
  release: 'alias/thingstead-firmware-release',
  assignment: 'alias/thingstead-firmware-assignment',
} as const;

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Counters sort as numbers do. */
const COUNTER_DIGITS = 16;

export const RELEASE_PREFIX = 'release#';

export function releaseKey(product: string, counter: number): Key {
  return { pk: `product#${product}`, sk: `${RELEASE_PREFIX}${String(counter).padStart(COUNTER_DIGITS, '0')}` };
}

/** Takes a version for one counter, so that no two releases of a product have the same. */
export function versionKey(product: string, version: string): Key {
  return { pk: `product#${product}`, sk: `version#${version}` };
}

/** The release that a device of the product gets which is in no rollout. */
export function currentKey(product: string): Key {
  return { pk: `product#${product}`, sk: 'current' };
}

export const TRUST_PARTITION = 'trust';

export function trustKey(version: number): Key {
  return { pk: TRUST_PARTITION, sk: `version#${String(version).padStart(COUNTER_DIGITS, '0')}` };
}

/** PUBLISHING until its image is there. YANKED: no device gets it any more. */
export const RELEASE_STATES = ['PUBLISHING', 'PUBLISHED', 'YANKED'] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** A release. What it says never changes; only its state does. */
export const ReleaseRow = v.object({
  /** As it was signed. */
  release: SignedDocument,
  /** What is signed, read once. */
  manifest: FirmwareManifest,
  state: v.picklist(RELEASE_STATES),
  createdAt: EpochMilliseconds,
  createdBy: v.string(),
  changedAt: EpochMilliseconds,
  /** Of the image in the bucket, once it is there. */
  image: v.optional(v.object({ versionId: v.string(), etag: v.string() })),
  yankedBy: v.optional(v.string()),
  reason: v.optional(v.string()),
});
export type ReleaseRow = v.InferOutput<typeof ReleaseRow>;

/** Keys of all images begin with it. */
export const IMAGES_PREFIX = 'firmware/';

/** Where the image of a release lies in the bucket. */
export function imageKey(product: string, counter: number): string {
  return `${IMAGES_PREFIX}${product}/${counter}`;
}

export const TrustRow = v.object({
  /** As it was signed. */
  document: SignedDocument,
  trust: FirmwareTrust,
  createdAt: EpochMilliseconds,
  createdBy: v.string(),
});
export type TrustRow = v.InferOutput<typeof TrustRow>;

export const CurrentRow = v.object({
  product: Product,
  counter: Counter,
  changedAt: EpochMilliseconds,
  /** A person, or `rollout#<id>`: one that has brought it to all things of the type. */
  changedBy: v.string(),
});
export type CurrentRow = v.InferOutput<typeof CurrentRow>;
