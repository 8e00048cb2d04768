import type { TransferRow } from '@thingstead/contracts/file-store';
import { PART_BYTES, TransferId } from '@thingstead/contracts/files';
import { reaches } from '@thingstead/contracts/grants';
import type { filesRoutes } from '@thingstead/contracts/routes/files';
import { validate } from '@thingstead/contracts/validate';
import { begin } from '../file-transfers/begin.ts';
import { downloadOf, readable } from '../file-transfers/deliver.ts';
import type { Refused } from '../file-transfers/ports.ts';
import { remove } from '../file-transfers/remove.ts';
import { complete, urlsOf } from '../file-transfers/upload.ts';
import { type Access, type Caller, type Refusal, type RouteHandlers, refusal } from '../http/request.ts';
import { list } from './list.ts';
import type { Ports } from './ports.ts';
import { viewOf } from './transfer-view.ts';

const DEFAULT_LIMIT = 25;

const STATUS: Readonly<Record<Refused['code'], number>> = {
  invalid: 409,
  'unknown-transfer': 404,
  'wrong-state': 409,
  'too-large': 413,
  quota: 409,
  'not-allowed': 409,
  checksum: 409,
  expired: 409,
  busy: 409,
};

/** What answers the routes of files. Files of an earlier owner's time are not there for those who came later. */
export function filesHandlers(ports: Ports): RouteHandlers<typeof filesRoutes> {
  const { transfers, now } = ports;

  async function visible({ thing, transfer }: Named, { visibleFrom }: Access): Promise<TransferRow | undefined> {
    const row = await transfers.read(thing, transfer);
    return row && row.startedAt >= visibleFrom ? row : undefined;
  }

  /** Of a file for the device, and by who sends it: others who may send files send their own. */
  async function own(named: Named, access: Access, caller: Caller): Promise<TransferRow | Refusal> {
    const row = await visible(named, access);
    if (!row) return notThere(named);
    return row.startedBy === caller.person ? row : refusal(409, 'somebody else sends this file');
  }

  return {
    async sendFile({ caller, access, params: { thing }, body }) {
      if (!(await ports.things.find(thing))) return refusal(404, `there is no thing ${thing}, or it is not yours`);
      const { id = ports.newId(now()), name, contentType, size } = body;
      const before = await transfers.read(thing, id);
      if (before && before.startedAt < access.visibleFrom) return refusal(409, 'this id is another file’s');
      const authority = access.role !== undefined && reaches(access.role, 'controller') ? 'grant' : 'staff';
      const begun = await begin(
        { thing, id, direction: 'to-device', name, contentType, size, startedBy: caller.person, authority },
        ports,
      );
      if (!begun.ok) return refusalOf(begun);
      const { row, dataKey, stored } = begun.value;
      return { ok: true, body: { transfer: viewOf(row, now()), dataKey, partBytes: PART_BYTES, stored: [...stored] } };
    },

    async sendParts({ caller, access, params, body }) {
      const row = await own(params, access, caller);
      if ('ok' in row) return row;
      const urls = await urlsOf(row, body.parts, ports);
      return urls.ok ? { ok: true, body: urls.value } : refusalOf(urls);
    },

    async completeFile({ caller, access, params, body }) {
      const row = await own(params, access, caller);
      if ('ok' in row) return row;
      const whole = await complete(row, body, ports);
      return whole.ok ? { ok: true, body: viewOf(whole.value, now()) } : refusalOf(whole);
    },

    async listFiles({ access, params: { thing }, query: { direction, state, limit = DEFAULT_LIMIT, cursor } }) {
      if (cursor !== undefined && !validate(TransferId, cursor).ok) {
        return refusal(400, 'query.cursor must be the cursor of an earlier answer');
      }
      const wanted = { thing, from: access.visibleFrom, direction, state, before: cursor, limit };
      const found = await list(wanted, ports);
      const files = found.rows.map((row) => viewOf(row, now()));
      return { ok: true, body: { files, ...(found.cursor !== undefined && { cursor: found.cursor }) } };
    },

    async getFile({ access, params }) {
      const row = await visible(params, access);
      return row ? { ok: true, body: viewOf(row, now()) } : notThere(params);
    },

    async downloadFile({ caller, access, params }) {
      const row = await visible(params, access);
      if (!row) return notThere(params);
      const found = readable(row, now());
      if (!found.ok) return refusalOf(found);
      ports.reports.granted(row, caller.person);
      const { dataKey, url, expiresAt, etag, bytes, sha256 } = await downloadOf(found.value, ports);
      return { ok: true, body: { transfer: viewOf(row, now()), dataKey, url, expiresAt, etag, bytes, sha256 } };
    },

    async removeFile({ access, params }) {
      const row = await visible(params, access);
      if (!row) return notThere(params);
      await remove(row, ports);
      return { ok: true, body: undefined };
    },
  };
}

interface Named {
  readonly thing: string;
  readonly transfer: string;
}

function notThere({ thing, transfer }: Named): Refusal {
  return refusal(404, `there is no file ${transfer} of ${thing}`);
}

function refusalOf({ code, reason }: Refused): Refusal {
  return refusal(STATUS[code], reason);
}
