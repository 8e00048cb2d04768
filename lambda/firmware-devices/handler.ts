import { AttemptId, FirmwareEvent, FirmwareRequest, RUNNING_FIRMWARE } from '@thingstead/contracts/firmware';
import { type Validated, validate } from '@thingstead/contracts/validate';
import { deviceMessageHandler, type Failed, readMessage } from '../rules/device-message.ts';
import { grant } from './grant.ts';
import type { Answers, GrantPorts, Reports, RunningPorts, Updates, Verdict } from './ports.ts';
import { takeRunning } from './running.ts';

/** A message may have more wrong members than an answer has room for. */
const MAX_REASON = 1000;

export interface Ports {
  readonly grants: GrantPorts;
  readonly running: RunningPorts;
  readonly updates: Updates;
  readonly answers: Answers;
  readonly reports: Reports;
}

/**
 * The handler of the rule on what devices say of their firmware. The answer comes last: a device that has none may say the same
 * again.
 */
export function createHandler({ failed, ...ports }: Ports & { readonly failed: Failed }) {
  return deviceMessageHandler(FirmwareEvent, (event) => take(event, ports), failed);
}

async function take(event: FirmwareEvent, ports: Ports): Promise<void> {
  const { thing, attempt } = event;
  const read = readRequest(event);
  if (!read.ok) {
    const reason = read.reason.slice(0, MAX_REASON);
    ports.reports.refused({ thing, attempt: attempt.slice(0, 64), reason });
    // A topic that names no attempt is none on which an answer could be waited for.
    if (!isNamed(attempt)) return;
    return ports.answers.rejected(thing, attempt, { type: 'invalid', code: 'invalid', reason, retry: false });
  }
  const verdict = await decide(event, read.value, ports);
  if (verdict.ok) return ports.answers.accepted(thing, attempt, verdict.answer);
  ports.reports.rejected({ thing, attempt, ...verdict.answer });
  return ports.answers.rejected(thing, attempt, verdict.answer);
}

function isNamed(attempt: string): boolean {
  return attempt === RUNNING_FIRMWARE || validate(AttemptId, attempt).ok;
}

/** What a device runs it says where an attempt stands; all else is of an attempt. */
function readRequest({ attempt, payload }: FirmwareEvent): Validated<FirmwareRequest> {
  if (!isNamed(attempt)) return { ok: false, reason: 'the topic names no attempt' };
  const message = readMessage(payload);
  if (message === undefined) return { ok: false, reason: 'the message is no JSON in UTF-8' };
  const read = validate(FirmwareRequest, message);
  if (!read.ok || (read.value.type === 'running') === (attempt === RUNNING_FIRMWARE))
    return read as Validated<FirmwareRequest>;
  return { ok: false, reason: `${read.value.type} is not said here` };
}

async function decide({ thing, attempt, at }: FirmwareEvent, said: FirmwareRequest, ports: Ports): Promise<Verdict> {
  const { reports, updates } = ports;
  if (said.type === 'grant') {
    const granted = await grant({ thing, attempt, nonce: said.nonce }, ports.grants);
    if (!granted.ok) return { ok: false, answer: { type: said.type, ...granted.no } };
    reports.granted({ thing, attempt, counter: granted.counter });
    return granted;
  }
  if (said.type === 'status') return updates.status({ thing, attempt }, said);
  const taken = await takeRunning({ thing, at, said }, ports.running);
  if (!taken.ok) {
    return { ok: false, answer: { type: said.type, code: 'wrong-state', reason: taken.reason, retry: false } };
  }
  reports.running({ thing, version: said.version, counter: said.counter });
  const { product } = taken;
  // A device that takes itself for something else would refuse what it got.
  if (product !== undefined && (said.product ?? product) === product)
    await updates.running(thing, { ...said, product });
  return { ok: true, answer: { type: said.type } };
}
