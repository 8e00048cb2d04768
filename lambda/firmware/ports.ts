import type { CurrentRow, ReleaseRow, TrustRow } from '@thingstead/contracts/firmware-store';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** There may be others. */
  readonly more: boolean;
}

/** Trust documents in the firmware table. All reads are consistent. */
export interface TrustDocuments {
  /** Undefined when there is none yet. */
  newest(): Promise<TrustRow | undefined>;
  /** With versions below `before`, the newest first. */
  list(range: { readonly before: number | undefined; readonly limit: number }): Promise<Page<TrustRow>>;
  /** False when there is one of this version. */
  create(row: TrustRow): Promise<boolean>;
}

/** Releases in the firmware table, and which of them are current. All reads are consistent. */
export interface Releases {
  read(product: string, counter: number): Promise<ReleaseRow | undefined>;
  /** With counters below `before`, the highest first. */
  list(
    product: string,
    range: { readonly before: number | undefined; readonly limit: number },
  ): Promise<Page<ReleaseRow>>;
  /** False when its counter or its version is taken. */
  create(row: ReleaseRow): Promise<boolean>;
  /** Replaces the signatures of a release; the document stays. */
  signAgain(row: Pick<ReleaseRow, 'release' | 'manifest'>): Promise<void>;
  /** PUBLISHING becomes PUBLISHED. False when it is in another state. */
  publish(product: string, counter: number, step: { readonly image: Image; readonly at: number }): Promise<boolean>;
  /** Whatever it is becomes YANKED, and no current one. False when it is yanked, or is not there. */
  yank(
    product: string,
    counter: number,
    step: { readonly by: string; readonly reason: string; readonly at: number },
  ): Promise<boolean>;
  current(product: string): Promise<CurrentRow | undefined>;
  /** False when it is not PUBLISHED. */
  makeCurrent(row: CurrentRow): Promise<boolean>;
  /** With `counter`, only if that is the current one. */
  unsetCurrent(product: string, counter?: number): Promise<void>;
}

/** Thing types: a product is one of them. */
export interface ThingTypes {
  has(name: string): Promise<boolean>;
}

export type Image = NonNullable<ReleaseRow['image']>;

/** What lies in the bucket. */
export interface StoredImage extends Image {
  readonly size: number;
  /** In hex; undefined when it was stored without one. */
  readonly sha256: string | undefined;
}

export interface UploadUrl {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The bucket of images. */
export interface Images {
  /** For a PUT of exactly so many bytes with this hash. */
  uploadUrl(key: string, image: { readonly size: number; readonly sha256: string }): Promise<UploadUrl>;
  /** The latest version; undefined when there is none. */
  find(key: string): Promise<StoredImage | undefined>;
}

/** Tells the operator what was done, and by whom. */
export interface Reports {
  trusted(trust: { readonly version: number; readonly by: string }): void;
  released(release: ReleaseStep): void;
  refused(what: { readonly by: string; readonly failure: string; readonly reason: string }): void;
}

export interface ReleaseStep {
  readonly product: string;
  readonly counter: number;
  readonly step: 'publishing' | 'published' | 'yanked' | 'current' | 'not-current';
  readonly by: string;
}

export interface Ports {
  readonly trust: TrustDocuments;
  readonly releases: Releases;
  readonly images: Images;
  readonly thingTypes: ThingTypes;
  /** Id of the key with which the cloud assigns. */
  assignmentKeyId(): Promise<string>;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
}
