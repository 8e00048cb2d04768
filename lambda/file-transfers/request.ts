import { maxEncryptedBytes, objectKeyOf, type TransferRow } from '@thingstead/contracts/file-store';
import {
  type FileAnswer,
  type FileEvent,
  type FileRejection,
  FileRequest,
  PART_BYTES,
  PENDING_TRANSFERS,
  TransferId,
} from '@thingstead/contracts/files';
import { type Validated, validate } from '@thingstead/contracts/validate';
import type * as v from 'valibot';
import { readMessage } from '../rules/device-message.ts';
import { begin } from './begin.ts';
import { deliver, offer } from './deliver.ts';
import { live, mayFollow, refused, transition } from './life-cycle.ts';
import type { Outcome, Ports } from './ports.ts';
import { complete, urlsOf } from './upload.ts';

type Request = v.InferOutput<typeof FileRequest>;
type Asked<Type extends Request['type']> = Extract<Request, { type: Type }>;
type Answered = Promise<Outcome<FileAnswer>>;

/**
 * Takes what a device says of a transfer, and answers it. Each may come twice and at any time: the answer says how it is now. What
 * cannot be read is refused and changes nothing.
 */
export async function onRequest(event: FileEvent, ports: Ports): Promise<void> {
  const { thing, transfer } = event;
  const read = readRequest(event);
  if (!read.ok) return reject(event, { type: 'unknown', ...refused('invalid', read.reason) }, true, ports);
  const request = read.value;
  if (request.type === 'pending') return offerWaiting(thing, ports);
  const outcome = await answer(request, event, ports);
  if (outcome.ok) return ports.answers.accepted(thing, transfer, outcome.value);
  return reject(event, { type: request.type, ...outcome }, false, ports);
}

function readRequest({ payload, transfer }: FileEvent): Validated<Request> {
  const message = readMessage(payload);
  if (message === undefined) return { ok: false, reason: 'this is no JSON in UTF-8' };
  const request = validate(FileRequest, message);
  if (!request.ok) return { ok: false, reason: request.reason.slice(0, 500) };
  const isPending = request.value.type === 'pending';
  if (isPending !== (transfer === PENDING_TRANSFERS) || (!isPending && !validate(TransferId, transfer).ok)) {
    return { ok: false, reason: 'the topic names no transfer for this' };
  }
  return request;
}

async function reject(
  { thing, transfer }: FileEvent,
  { type, code, reason, retry }: FileRejection,
  unreadable: boolean,
  { answers, reports }: Ports,
): Promise<void> {
  // What cannot stand in a topic name is not answered: nobody could hear it.
  if (/^[^+#\0]{1,128}$/.test(transfer)) await answers.rejected(thing, transfer, { type, code, reason, retry });
  reports.rejected({ thing, transfer: transfer.slice(0, 64), type, code, reason, retry }, unreadable);
}

async function answer(request: Request, { thing, transfer }: FileEvent, ports: Ports): Answered {
  const row = await ports.transfers.read(thing, transfer);
  switch (request.type) {
    case 'upload':
      return upload(row, request, { thing, id: transfer }, ports);
    case 'parts': {
      const urls = await urlsOf(ofDevice(row), request.parts, ports);
      return urls.ok ? { ok: true, value: { type: 'parts', ...urls.value } } : urls;
    }
    case 'complete': {
      const whole = await complete(ofDevice(row), request, ports);
      return whole.ok ? { ok: true, value: { type: 'complete' } } : whole;
    }
    case 'download': {
      const found = live(forDevice(row), ports.now());
      const grant = found.ok ? await deliver(found.value, ports) : found;
      return grant.ok ? { ok: true, value: { type: 'download', ...grant.value } } : grant;
    }
    case 'progress':
      return progress(row, request, ports);
    case 'received':
      return received(forDevice(row), request, ports);
    case 'failed':
      return failed(row, request, ports);
    case 'pending':
      throw new Error('this is answered elsewhere');
  }
}

/** Only a device's own uploads: what a person sends it, it does not write. */
function ofDevice(row: TransferRow | undefined): TransferRow | undefined {
  return row?.direction === 'from-device' ? row : undefined;
}

function forDevice(row: TransferRow | undefined): TransferRow | undefined {
  return row?.direction === 'to-device' ? row : undefined;
}

async function upload(
  row: TransferRow | undefined,
  { name, contentType, size }: Asked<'upload'>,
  ids: { readonly thing: string; readonly id: string },
  ports: Ports,
): Answered {
  const going = row && live(row, ports.now());
  // Its last answer was lost.
  if (going?.ok && ofDevice(row) && going.value.state === 'STORED') return { ok: true, value: { type: 'complete' } };
  const begun = await begin({ ...ids, direction: 'from-device', name, contentType, size }, ports);
  if (!begun.ok) return begun;
  const { dataKey, stored } = begun.value;
  return { ok: true, value: { type: 'upload', dataKey, partBytes: PART_BYTES, stored: [...stored] } };
}

async function progress(row: TransferRow | undefined, { bytes }: Asked<'progress'>, ports: Ports): Answered {
  const going = live(row, ports.now());
  if (!going.ok) return going;
  const { direction, state, size } = going.value;
  if (state !== (direction === 'from-device' ? 'UPLOADING' : 'DELIVERING')) {
    return refused('wrong-state', `it is ${state}`);
  }
  await ports.transfers.progress(going.value, Math.min(bytes, going.value.bytes ?? maxEncryptedBytes(size)));
  return { ok: true, value: { type: 'progress' } };
}

/** The device has it: nobody needs the object any more. */
async function received(row: TransferRow | undefined, { size }: Asked<'received'>, ports: Ports): Answered {
  if (row && size !== row.size) return refused('checksum', `the file has ${row.size} bytes, not ${size}`);
  const after =
    row &&
    (await transition(
      row,
      ({ state, bytes }) =>
        mayFollow('DELIVERED', state)
          ? { state: 'DELIVERED', ...(bytes !== undefined && { transferred: bytes }) }
          : undefined,
      ports,
    ));
  if (after?.state !== 'DELIVERED') {
    const going = live(after, ports.now());
    return going.ok ? refused('wrong-state', `it is ${going.value.state}`) : going;
  }
  await ports.objects.remove(objectKeyOf(after.thing, after.id));
  return { ok: true, value: { type: 'received' } };
}

async function failed(row: TransferRow | undefined, { reason }: Asked<'failed'>, ports: Ports): Answered {
  const state = row?.direction === 'to-device' && row.state === 'STORED' ? 'REJECTED' : 'FAILED';
  const after =
    row && (await transition(row, (now) => (mayFollow(state, now.state) ? { state, reason } : undefined), ports));
  if (after && (after.state === 'FAILED' || after.state === 'REJECTED')) {
    if (after.uploadId !== undefined) await ports.objects.abort(after.thing, after.id, after.uploadId);
    await ports.objects.remove(objectKeyOf(after.thing, after.id));
    return { ok: true, value: { type: 'failed' } };
  }
  const going = live(after, ports.now());
  return going.ok ? refused('wrong-state', `it is ${going.value.state}`) : going;
}

/** The device has subscribed. The oldest first. */
async function offerWaiting(thing: string, ports: Ports): Promise<void> {
  for (const row of await ports.transfers.waiting(thing)) await offer(row, ports);
}
