import { DEVICE_PATIENCE_MS } from '@thingstead/contracts/voice';
import { capabilitiesOf } from '../alexa/capabilities.ts';
import { type AnswerTo, answer, type Failure, type Message } from '../alexa/messages.ts';
import type { Authorized } from './authorize.ts';
import type { SetOperation } from './control.ts';
import type { DesiredShadows, Ports, ShadowDocument } from './ports.ts';
import { shadowProperties } from './report-state.ts';

/** Between two looks at the shadow. */
const PAUSE_MS = 250;
const ATTEMPTS = 5;

type Result = { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly failure: Failure };

/** What was asked for, and what stood there before. */
interface Wish {
  readonly thing: string;
  readonly member: string;
  readonly value: unknown;
  readonly before: unknown;
  /** When the shadow took it, by its own clock. */
  readonly at: number;
}

/**
 * Asks a device for a change and waits until it reports it. One that is offline is not asked, and what a device does not
 * report in time is taken back: a lamp that goes on when its device comes back an hour later frightens people.
 */
export async function setMember(
  { row }: Authorized,
  operation: SetOperation,
  { to, begunAt }: { readonly to: AnswerTo; readonly begunAt: number },
  ports: Ports,
): Promise<Result> {
  const { thing } = row;
  const { member } = operation;
  if (!capabilitiesOf(row).some((each) => each.member === member)) {
    return refused('INVALID_DIRECTIVE', `${thing} has no ${member}`);
  }
  if (!row.presence?.connected) return refused('ENDPOINT_UNREACHABLE', 'the device is offline');
  const wish = await ask(thing, operation, ports.shadows);
  if ('type' in wish) return { ok: false, failure: wish };
  const done = (await reported(wish, begunAt + DEVICE_PATIENCE_MS, ports)) ?? (await takeBack(wish, ports.shadows));
  if (!done) return refused('ENDPOINT_UNREACHABLE', 'the device did not do it in time; the request was taken back');
  const properties = shadowProperties(row, done, ports.now());
  return { ok: true, message: answer(['Alexa', 'Response'], to, {}, properties) };
}

function refused(type: Failure['type'], message: string): Result {
  return { ok: false, failure: { type, message } };
}

/**
 * Writes only over the version that was read: what was there before must be known, to be put back. When that is no longer the
 * version, the wish itself may be there already: an answer was lost.
 */
async function ask(thing: string, operation: SetOperation, shadows: DesiredShadows): Promise<Wish | Failure> {
  let before: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const shadow = await shadows.read(thing);
    const value = wanted(operation, shadow);
    if (value === undefined) return { type: 'INVALID_VALUE', message: `${thing} has not reported its brightness` };
    const { member } = operation;
    const desired = shadow?.desired.get(member)?.value;
    if (attempt === 0 || desired !== value) before = desired;
    const at = await shadows.setDesired(thing, member, value, shadow?.version);
    if (at !== undefined) return { thing, member, value, before, at };
  }
  return { type: 'ENDPOINT_BUSY', message: 'others change the thing all the time' };
}

function wanted(operation: SetOperation, shadow: ShadowDocument | undefined): boolean | number | undefined {
  if (operation.kind === 'set') return operation.value;
  const { member, delta } = operation;
  const now = shadow?.reported.get(member)?.value;
  return typeof now === 'number' ? Math.round(Math.min(100, Math.max(0, now + delta))) : undefined;
}

async function reported(
  { thing, member, value }: Wish,
  until: number,
  ports: Pick<Ports, 'shadows' | 'now' | 'pause'>,
): Promise<ShadowDocument | undefined> {
  for (;;) {
    const shadow = await ports.shadows.read(thing);
    if (shadow?.reported.get(member)?.value === value) return shadow;
    if (ports.now() >= until) return undefined;
    await ports.pause(Math.min(PAUSE_MS, Math.max(1, until - ports.now())));
  }
}

/**
 * Puts back what was desired before, unless the device has done it after all (then its shadow is the answer), or somebody else has
 * asked for something since.
 */
async function takeBack({ thing, member, value, before, at }: Wish, shadows: DesiredShadows) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const shadow = await shadows.read(thing);
    if (!shadow || shadow.reported.get(member)?.value === value) return shadow;
    const desired = shadow.desired.get(member);
    if (!desired || desired.value !== value || desired.at !== at) return undefined;
    if ((await shadows.setDesired(thing, member, before, shadow.version)) !== undefined) return undefined;
  }
  return undefined;
}
