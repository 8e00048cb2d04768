/** The objects of one bucket: all versions of each key, newest first, and the keys in the order of their UTF-8 bytes. */
import { randomBytes } from 'node:crypto';
import type { Checksum } from './checksums.ts';

/** Headers that are kept with an object and come back with it. */
export interface ObjectHeaders {
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType: string;
  readonly Expires?: string | undefined;
}

export interface ObjectContent {
  readonly body: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksum: Checksum | undefined;
  readonly encryption: {
    readonly algorithm: string;
    /** The ARN of a KMS key. */
    readonly keyId?: string | undefined;
    readonly bucketKey?: boolean;
    /** What the writer added to the encryption context. */
    readonly context?: Readonly<Record<string, string>>;
  };
  readonly storageClass: string;
  tags: ReadonlyMap<string, string>;
}

export interface Version {
  readonly key: string;
  /** `null` for what was written while versioning was not enabled. */
  readonly id: string;
  /** Epoch milliseconds, virtual time. */
  readonly lastModified: number;
  /** Undefined for a delete marker. */
  readonly content: ObjectContent | undefined;
}

export type Versioning = 'Enabled' | 'Suspended' | undefined;

/** Versions as they are kept, newest first; the bodies are records of their own. */
export interface KeptVersions {
  readonly key: string;
  readonly versions: readonly (Omit<Version, 'content'> & {
    readonly content: (Omit<ObjectContent, 'body'> & { readonly bodyId: string }) | undefined;
  })[];
}

const NULL_VERSION = 'null';

function newVersionId(): string {
  return randomBytes(24).toString('base64url');
}

/** Order of keys in listings: by UTF-8 bytes. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

export class ObjectStore {
  readonly #versions = new Map<string, Version[]>();
  #sortedKeys: string[] | undefined;

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  /** All keys that have a version, in listing order. */
  get keys(): readonly string[] {
    this.#sortedKeys ??= [...this.#versions.keys()].sort(compareKeys);
    return this.#sortedKeys;
  }

  /** The versions of a key, newest first. */
  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** The newest version, or the one of this id. */
  find(key: string, versionId?: string): Version | undefined {
    const versions = this.versions(key);
    return versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId);
  }

  /** Adds a version: it replaces the null version unless versioning is enabled. No content is a delete marker. */
  add(key: string, content: ObjectContent | undefined, lastModified: number, versioning: Versioning): Version {
    const version: Version = {
      key,
      id: versioning === 'Enabled' ? newVersionId() : NULL_VERSION,
      lastModified,
      content,
    };
    if (versioning !== 'Enabled') this.remove(key, NULL_VERSION);
    const versions = this.#versions.get(key);
    if (versions !== undefined) versions.unshift(version);
    else {
      this.#versions.set(key, [version]);
      this.#sortedKeys = undefined;
    }
    return version;
  }

  /** All versions, without bodies; `bodyIdOf` names the record that holds a body. */
  *save(bodyIdOf: (body: Buffer) => string): Generator<KeptVersions> {
    for (const [key, versions] of this.#versions) {
      yield {
        key,
        versions: versions.map(({ content, ...version }) => {
          if (content === undefined) return { ...version, content };
          const { body, ...rest } = content;
          return { ...version, content: { ...rest, bodyId: bodyIdOf(body) } };
        }),
      };
    }
  }

  restore({ key, versions }: KeptVersions, bodyOf: (bodyId: string) => Buffer): void {
    const restored = versions.map(({ content, ...version }): Version => {
      if (content === undefined) return { ...version, content };
      const { bodyId, ...rest } = content;
      return { ...version, content: { ...rest, body: bodyOf(bodyId) } };
    });
    this.#versions.set(key, restored);
    this.#sortedKeys = undefined;
  }

  /** Removes one version for good. */
  remove(key: string, versionId: string): Version | undefined {
    const versions = this.#versions.get(key);
    const index = versions?.findIndex(({ id }) => id === versionId) ?? -1;
    if (versions === undefined || index < 0) return undefined;
    const [removed] = versions.splice(index, 1);
    if (versions.length === 0) {
      this.#versions.delete(key);
      this.#sortedKeys = undefined;
    }
    return removed;
  }
}
