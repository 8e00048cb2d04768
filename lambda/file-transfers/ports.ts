import type { FilesSettings, TransferRow, TransferState } from '@thingstead/contracts/file-store';
import type { FileAnswer, FileDataKey, FileRejection, KeptParts, WantedParts } from '@thingstead/contracts/files';
import type { Access } from '../http/request.ts';

/** A step of a transfer: members of its row that change. */
export type Step = Partial<
  Pick<
    TransferRow,
    'state' | 'changedAt' | 'bytes' | 'sha256' | 'etag' | 'transferred' | 'reason' | 'endsAt' | 'expiresAt'
  >
> & { readonly uploadId?: string };

/** What the transfers of a thing take, and the version of its account when they were read. */
export interface Occupied {
  readonly rows: readonly Pick<TransferRow, 'state' | 'direction' | 'size' | 'bytes' | 'endsAt'>[];
  /** Undefined for a thing that has never had a transfer. */
  readonly version: number | undefined;
}

/** The files table. All reads are consistent; a row that is to be forgotten is none. */
export interface Transfers {
  read(thing: string, id: string): Promise<TransferRow | undefined>;
  occupied(thing: string): Promise<Occupied>;
  /** Stores a new transfer. False when there is one with this id, or another began since the account had this version. */
  create(row: TransferRow, version: number | undefined): Promise<boolean>;
  /** Only while state, upload id and claim are as in this row. False when they are others by now. */
  change(row: TransferRow, step: Step): Promise<boolean>;
  /** Notes how far it is, in this state, unless it was further. */
  progress(row: TransferRow, transferred: number): Promise<void>;
  /** Files for a device that are stored and that it does not have, the oldest first. */
  waiting(thing: string): Promise<readonly TransferRow[]>;
}

/** A part as S3 has it. */
export interface ObjectPart {
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
  readonly sha256: string | undefined;
}

export interface SignedUrl {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The bucket of files. The key of an object is made of thing and transfer. */
export interface Objects {
  /** Gives the id of a new multipart upload. */
  begin(thing: string, transfer: string): Promise<string>;
  abort(thing: string, transfer: string, uploadId: string): Promise<void>;
  /** Undefined when there is no such upload: completed, aborted, or too old. */
  parts(thing: string, transfer: string, uploadId: string): Promise<readonly ObjectPart[] | undefined>;
  /** Signs a PUT of exactly these bytes. */
  partUrl(row: TransferRow & { readonly uploadId: string }, part: WantedParts[number]): Promise<SignedUrl>;
  /** `gone`: there is no such upload, any more; `changed`: it has other parts. */
  complete(
    thing: string,
    transfer: string,
    uploadId: string,
    parts: readonly ObjectPart[],
  ): Promise<'made' | 'gone' | 'changed'>;
  /** Undefined when there is no such object. */
  find(thing: string, transfer: string): Promise<{ readonly bytes: number; readonly etag: string } | undefined>;
  downloadUrl(thing: string, transfer: string): Promise<string>;
  /** Whether or not it is there. */
  remove(key: string): Promise<void>;
}

/** KMS, for the keys that senders encrypt with. Plain keys are in nothing but answers. */
export interface DataKeys {
  generate(context: Readonly<Record<string, string>>): Promise<Pick<FileDataKey, 'plaintext' | 'wrapped' | 'keyArn'>>;
  /** Gives the plain key, in base64. */
  unwrap(wrapped: string, context: Readonly<Record<string, string>>): Promise<string>;
}

/** Messages to devices: `.../accepted` and `.../rejected`. What is published while a device is away is gone. */
export interface Answers {
  accepted(thing: string, transfer: string, answer: FileAnswer): Promise<void>;
  rejected(thing: string, transfer: string, rejection: FileRejection): Promise<void>;
}

type Named = Pick<TransferRow, 'thing' | 'id'>;

/** Tells the operator what happened. Neither keys, URLs nor names of files are in it. */
export interface Reports {
  changed(transfer: Pick<TransferRow, 'thing' | 'id' | 'direction'>, state: TransferState, reason?: string): void;
  /** `device` or this person got the key. */
  granted(transfer: Named, to: string): void;
  offered(transfer: Named): void;
  /** A device was told that it cannot have what it asked for. `unreadable`: nobody knows what it asked. */
  rejected(request: { readonly thing: string; readonly transfer: string } & FileRejection, unreadable: boolean): void;
  /** An object of no transfer was deleted. */
  orphaned(key: string, reason: string): void;
  failed(what: string, error: unknown): void;
}

export interface Ports {
  readonly transfers: Transfers;
  readonly objects: Objects;
  readonly keys: DataKeys;
  readonly answers: Answers;
  readonly reports: Reports;
  readonly settings: FilesSettings;
  /** What a person may do with a thing now; undefined: nothing. */
  access(person: string, thing: string): Promise<Access | undefined>;
  /** Epoch milliseconds. */
  now(): number;
}

/** An expected failure, for a device or a person. */
export interface Refused {
  readonly ok: false;
  readonly code: FileRejection['code'];
  readonly reason: string;
  /** The same may be asked later. */
  readonly retry: boolean;
}

export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Refused;

/** What it takes to send a file, or to go on with it. */
export interface UploadGrant {
  readonly row: TransferRow;
  readonly dataKey: FileDataKey;
  readonly stored: KeptParts;
}
