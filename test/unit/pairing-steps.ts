/** What people may try, the request it is, and what the model says must come of it. */
import { isInForce, type Role, targetOfKey } from '@thingstead/contracts/grants';
import fc from 'fast-check';
import { type PairingModel, siteKey } from './pairing-model.ts';
import type { Request } from './pairing-world.ts';

export const PEOPLE = ['ada', 'ben', 'cem', 'dia'] as const;
export const THINGS = ['thing#lamp', 'thing#farm-barn', 'thing#farm-gate'] as const;
export const TARGETS = [...THINGS, 'site#farm'] as const;
export const ACCESS_SECONDS = 3600;

export interface Step {
  readonly kind:
    | 'pair'
    | 'invite'
    | 'accept'
    | 'withdraw'
    | 'unshare'
    | 'leave'
    | 'give-site'
    | 'release'
    | 'decommission'
    | 'list';
  readonly person: string;
  readonly other: string;
  readonly target: string;
  readonly role: Role;
  readonly ends: boolean;
  /** Counted back from the last invitation. */
  readonly nth: number;
}

const KINDS = [
  'pair',
  'pair',
  'invite',
  'invite',
  'accept',
  'accept',
  'accept',
  'withdraw',
  'unshare',
  'leave',
] as const;
const BY_OPERATORS = ['give-site', 'release', 'decommission', 'list'] as const;

export const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS, ...KINDS, ...BY_OPERATORS),
  person: fc.constantFrom(...PEOPLE),
  other: fc.constantFrom(...PEOPLE),
  target: fc.constantFrom(...TARGETS),
  role: fc.constantFrom<Role>('viewer', 'controller', 'controller', 'owner'),
  ends: fc.boolean(),
  nth: fc.constantFrom(0, 0, 0, 1, 2),
});

/** What the request of a step is; undefined when there is nothing to ask. `code` is what the device shows. */
export function requestOf(
  { kind, person, other, target, role, ends, nth }: Step,
  { code, tokens }: { readonly code: string | undefined; readonly tokens: readonly string[] },
): Request | undefined {
  const { kind: what, name } = targetOfKey(target);
  const isThing = what === 'thing';
  const params = { [what]: name };
  const operator = { person: 'operator', groups: 'operator' };
  switch (kind) {
    case 'pair':
      return code === undefined ? undefined : { operation: 'pair', person, body: { code } };
    case 'invite': {
      const accessSeconds = ends && role !== 'owner' ? { accessSeconds: ACCESS_SECONDS } : {};
      return {
        operation: isThing ? 'inviteToThing' : 'inviteToSite',
        person,
        params,
        body: { role, ...accessSeconds },
      };
    }
    case 'accept': {
      const token = tokens.at(-1 - nth);
      return token === undefined ? undefined : { operation: 'acceptInvitation', person, body: { token } };
    }
    case 'withdraw': {
      const [, name_ = '', invitation = ''] = tokens.at(-1 - nth)?.split('.') ?? [];
      if (name_ !== name) return undefined;
      const operation = isThing ? 'removeThingInvitation' : 'removeSiteInvitation';
      return { operation, person, params: { ...params, invitation } };
    }
    case 'unshare':
      return {
        operation: isThing ? 'removeThingGrant' : 'removeSiteGrant',
        person,
        params: { ...params, person: other },
      };
    case 'leave':
      return { operation: isThing ? 'leaveThing' : 'leaveSite', person, params };
    case 'give-site':
      return isThing ? undefined : { operation: 'putSite', ...operator, params, body: { owner: other } };
    case 'release':
      return isThing ? { operation: 'releaseThing', ...operator, params } : undefined;
    case 'decommission':
      return isThing ? { operation: 'decommissionThing', ...operator, params } : undefined;
    case 'list':
      return { operation: isThing ? 'listThingGrants' : 'listSiteGrants', person, params };
  }
}

/** Brings the model to where the step must lead, and gives the status that must be answered. */
export function decide(model: PairingModel, step: Step, now: number): number {
  const { kind, person, other, target, role, ends, nth } = step;
  const access = model.access(person, target, now);
  const isOwner = access?.role === 'owner';
  const refused = access === undefined ? 404 : 403;
  switch (kind) {
    case 'pair':
      if (!model.mayPair(target)) return 404;
      model.own(target, person, now);
      return 201;
    case 'invite': {
      if (!isOwner) return refused;
      if (role === 'owner' && model.holder(target) !== target) return 409;
      const since = model.owned.get(model.holder(target) ?? '')?.since ?? 0;
      const endsAt = ends && role !== 'owner' ? { endsAt: now + ACCESS_SECONDS * 1000 } : {};
      model.invited.push({ target, role, since, open: true, ...endsAt });
      return 201;
    }
    case 'accept':
      return accept(model, person, nth, now);
    case 'withdraw': {
      if (!isOwner) return refused;
      const at = model.invited.length - 1 - nth;
      const invited = model.invited[at];
      if (!invited || invited.withdrawn) return 404;
      model.invited[at] = { ...invited, open: false, withdrawn: true };
      return 204;
    }
    case 'unshare':
      if (!isOwner) return refused;
      if (other === person) return 409;
      if (!model.has(target, other)) return 404;
      model.take(target, other);
      return 204;
    case 'leave':
      return leave(model, step, now);
    case 'give-site':
      if (model.owned.get(target)?.person === other) return 200;
      if (model.thingsOwnedAt(target) > 0) return 409;
      model.own(target, other, now);
      return 200;
    case 'release':
      if (!model.owned.has(target)) return 404;
      model.free(target);
      return 204;
    case 'decommission':
      if (model.owned.has(target)) model.free(target);
      else model.takeAll(target);
      return 200;
    case 'list':
      return isOwner ? 200 : refused;
  }
}

function accept(model: PairingModel, person: string, nth: number, now: number): number {
  const at = model.invited.length - 1 - nth;
  const invited = model.invited[at];
  if (!invited) return 404;
  const { target, role, since, open, endsAt, acceptedBy, withdrawn } = invited;
  if (withdrawn) return 404;
  // Sent again: the same answer, while what it gave is there.
  if (acceptedBy === person && isInForce(invited, now)) return model.holds(person, target, now) ? 201 : 404;
  const holder = model.holder(target) ?? '';
  const owned = model.owned.get(holder);
  if (!open || owned?.since !== since || !isInForce(invited, now)) return 404;
  if (owned.person === person) return 409;
  model.invited[at] = { ...invited, open: false, acceptedBy: person };
  if (role === 'owner') model.own(target, person, now);
  else model.give(target, person, { role, ...(endsAt !== undefined && { endsAt }) });
  return 201;
}

function leave(model: PairingModel, { person, target }: Step, now: number): number {
  if (!model.access(person, target, now)) return 404;
  if (model.owned.get(target)?.person === person) {
    if (target.startsWith('site#')) return 409;
    model.free(target);
    return 204;
  }
  const fromSite = model.holder(target) === siteKey(target);
  if (fromSite && model.owned.get(siteKey(target) ?? '')?.person === person) return 409;
  if (!model.has(target, person)) return fromSite ? 409 : 404;
  model.take(target, person);
  return 204;
}
