/**
 * Routes by which people send files to their things and get files of them. What goes to and comes from the URLs is encrypted
 * in the format of the AWS Encryption SDK, by whoever sends it.
 */
import * as v from 'valibot';
import { TRANSFER_STATES } from '../file-store.ts';
import {
  ContentType,
  FILE_DIRECTIONS,
  FileDataKey,
  FileName,
  KeptParts,
  PART_BYTES,
  PartUrls,
  SentFile,
  TransferId,
  WantedParts,
} from '../files.ts';
import { PersonId, ThingName } from '../grants.ts';
import { Cursor, EpochMilliseconds, None, queryInteger, route } from './route.ts';

const ThingParams = v.strictObject({ thing: ThingName });
const TransferParams = v.strictObject({ ...ThingParams.entries, transfer: TransferId });
const Bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const NO_SUCH_THING = { 404: 'there is no such thing, or it is not mine' };
const NO_SUCH_TRANSFER = { 404: 'there is no such thing or no such file' };

export const Transfer = v.object({
  id: TransferId,
  thing: ThingName,
  direction: v.picklist(FILE_DIRECTIONS),
  name: FileName,
  contentType: v.string(),
  /** Of the file as it was. */
  size: Bytes,
  state: v.picklist(TRANSFER_STATES),
  /** Who sent it, of a file for the device. */
  startedBy: v.optional(PersonId),
  startedAt: EpochMilliseconds,
  /** When it came into its state. */
  changedAt: EpochMilliseconds,
  /** When it is over by itself, unless it is before. */
  endsAt: EpochMilliseconds,
  /** Of what is encrypted; `sha256` in base64. */
  bytes: v.optional(Bytes),
  sha256: v.optional(v.string()),
  /** Encrypted bytes that went so far: into S3, or to the device once it is DELIVERING. */
  transferred: v.optional(Bytes),
  reason: v.optional(v.string()),
});
export type Transfer = v.InferOutput<typeof Transfer>;

export const filesRoutes = {
  sendFile: route({
    operationId: 'sendFile',
    method: 'POST',
    path: '/things/{thing}/files',
    summary: 'Begins to send a file to a device, or goes on with it',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: ThingParams,
    query: None,
    body: v.strictObject({
      /** The same id is the same file: a request may be sent again. Without one, a new one is made. */
      id: v.optional(TransferId),
      name: FileName,
      contentType: v.optional(ContentType, 'application/octet-stream'),
      size: Bytes,
    }),
    status: 201,
    answer: v.object({
      transfer: Transfer,
      dataKey: FileDataKey,
      partBytes: v.literal(PART_BYTES),
      /** Parts that S3 has already. */
      stored: KeptParts,
    }),
    problems: {
      ...NO_SUCH_THING,
      409: 'the id is another file’s, its transfer is over, or the thing has no room for it',
      413: 'the file is too large',
    },
  }),
  sendParts: route({
    operationId: 'sendParts',
    method: 'POST',
    path: '/things/{thing}/files/{transfer}/parts',
    summary: 'Where to put parts of what is encrypted; the URLs can be begun with for a minute',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: TransferParams,
    query: None,
    body: v.strictObject({ parts: WantedParts }),
    status: 200,
    answer: PartUrls,
    problems: { ...NO_SUCH_TRANSFER, 409: 'it takes no parts', 413: 'a part is beyond the end of the file' },
  }),
  completeFile: route({
    operationId: 'completeFile',
    method: 'POST',
    path: '/things/{thing}/files/{transfer}/complete',
    summary: 'All parts are there; the device is offered the file',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: TransferParams,
    query: None,
    body: v.strictObject(SentFile.entries),
    status: 200,
    answer: Transfer,
    problems: {
      ...NO_SUCH_TRANSFER,
      409: 'the parts are not those that S3 has, or it is over',
      413: 'it is too large',
    },
  }),
  listFiles: route({
    operationId: 'listFiles',
    method: 'GET',
    path: '/things/{thing}/files',
    summary: 'Files to and from a thing, newest first',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: ThingParams,
    query: v.strictObject({
      direction: v.optional(v.picklist(FILE_DIRECTIONS)),
      state: v.optional(v.picklist(TRANSFER_STATES)),
      limit: v.optional(queryInteger(1, 100)),
      cursor: v.optional(Cursor),
    }),
    body: undefined,
    status: 200,
    answer: v.object({ files: v.array(Transfer), cursor: v.optional(v.string()) }),
    problems: NO_SUCH_THING,
  }),
  getFile: route({
    operationId: 'getFile',
    method: 'GET',
    path: '/things/{thing}/files/{transfer}',
    summary: 'One file and how far it is',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: TransferParams,
    query: None,
    body: undefined,
    status: 200,
    answer: Transfer,
    problems: NO_SUCH_TRANSFER,
  }),
  downloadFile: route({
    operationId: 'downloadFile',
    method: 'POST',
    path: '/things/{thing}/files/{transfer}/download',
    summary: 'Where to get what is encrypted, and the key to decrypt it; for the owner alone',
    audience: { kind: 'grant', role: 'owner', staff: [] },
    params: TransferParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({
      transfer: Transfer,
      dataKey: FileDataKey,
      /** GET, also of a range; to be begun with before `expiresAt`. */
      url: v.string(),
      expiresAt: EpochMilliseconds,
      etag: v.string(),
      /** Of what is encrypted; `sha256` in base64. */
      bytes: Bytes,
      sha256: v.string(),
    }),
    problems: { ...NO_SUCH_TRANSFER, 409: 'it is not in the store, not yet or no more' },
  }),
  removeFile: route({
    operationId: 'removeFile',
    method: 'DELETE',
    path: '/things/{thing}/files/{transfer}',
    summary: 'Cancels a file that is on its way, or removes one that is stored',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: TransferParams,
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: NO_SUCH_TRANSFER,
  }),
};
