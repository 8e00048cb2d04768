/** The access table: who may do what with which thing or site, and what that hangs on. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EpochSeconds = EpochMilliseconds;

/** The `sub` of the person in the user pool. */
export const PersonId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,128}$/, 'is no id of a person'));

export const ThingName = v.pipe(v.string(), v.regex(THING_NAME, 'must be 1 to 64 of a-z A-Z 0-9 _ -'));
export const SiteName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_]{1,63}$/, 'must be 1 to 63 of a-z A-Z 0-9 _'));

/** Each may do what those before it may. `viewer` reads; `controller` sets state and commands; `owner` shares and gives away. */
export const ROLES = ['viewer', 'controller', 'owner'] as const;
export const Role = v.picklist(ROLES);
export type Role = v.InferOutput<typeof Role>;

/** True when `role` may do what `needed` may. */
export function reaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Groups of the user pool whose members see the whole fleet. `support` reads; `operator` also acts. */
export const STAFF_GROUPS = ['operator', 'support'] as const;
export type StaffGroup = (typeof STAFF_GROUPS)[number];

/** One thing, or a site with all its things, also those that come later. */
export const GrantTarget = v.variant('kind', [
  v.object({ kind: v.literal('thing'), name: ThingName }),
  v.object({ kind: v.literal('site'), name: SiteName }),
]);
export type GrantTarget = v.InferOutput<typeof GrantTarget>;

/** Things and sites that one person may have grants for, each by itself; a site counts once, however many things it has. */
export const MAX_GRANTS_PER_PERSON = 1_000;

/** Index of grants by what they are for: partition key `target`, sort key `person`. */
export const GRANTS_BY_TARGET = 'by-target';

interface Key {
  readonly pk: string;
  readonly sk: string;
}

export function personPartition(person: string): string {
  return `person#${person}`;
}

/** `thing#macdonald-barn1`, `site#macdonald`. */
export function targetKey({ kind, name }: GrantTarget): string {
  return `${kind}#${name}`;
}

/** What a key of `targetKey` names. @throws v.ValiError for one of something else. */
export function targetOfKey(key: string): GrantTarget {
  const [kind, name] = key.split('#');
  return v.parse(GrantTarget, { kind, name });
}

/** All sort keys of grants begin with it; the stream's consumer is asked about nothing else of a person. */
export const GRANT_PREFIX = 'grant#';

export function grantKey(person: string, target: GrantTarget): Key {
  return { pk: personPartition(person), sk: `${GRANT_PREFIX}${targetKey(target)}` };
}

/** What one person may do with one thing or site. */
export const GrantRow = v.object({
  pk: v.string(),
  sk: v.string(),
  person: PersonId,
  target: v.string(),
  role: Role,
  /** Nothing that is older is shown: it belongs to whoever owned the thing before. */
  visibleFrom: EpochMilliseconds,
  grantedBy: PersonId,
  grantedAt: EpochMilliseconds,
  /** From then on the grant is void, whether or not DynamoDB has removed it (`expiresAt`, in seconds). */
  endsAt: v.optional(EpochMilliseconds),
  expiresAt: v.optional(EpochSeconds),
});
export type GrantRow = v.InferOutput<typeof GrantRow>;

/** False from `endsAt` on. */
export function isInForce({ endsAt }: Pick<GrantRow, 'endsAt'>, now: number): boolean {
  return endsAt === undefined || now < endsAt;
}

/** A message to the function that ends grants when it is time. */
export const GrantEnding = v.object({ person: PersonId, target: GrantTarget, endsAt: EpochMilliseconds });
export type GrantEnding = v.InferOutput<typeof GrantEnding>;

/** There is one, or the thing or site has no owner: it is what decides between people who pair at the same time. */
export function ownerKey(target: GrantTarget): Key {
  return { pk: targetKey(target), sk: 'owner' };
}

export const OwnerRow = v.object({
  person: PersonId,
  since: EpochMilliseconds,
  /** How many grants hang on it, for the thing or site and for things of the site; the owner's own is none of them. */
  shares: v.optional(v.pipe(v.number(), v.integer()), 0),
});
export type OwnerRow = v.InferOutput<typeof OwnerRow>;

/** What is known of a person besides the user pool. */
export function profileKey(person: string): Key {
  return { pk: personPartition(person), sk: 'profile' };
}

export const ProfileRow = v.object({
  person: PersonId,
  /** Of the identity pool; from the person's own ID token, by GetId. Absent until the person's app has asked for it. */
  identityId: v.optional(v.string()),
  /** When access was last taken away: connections that are older are ended. */
  accessReducedAt: v.optional(EpochMilliseconds),
  /** Since when an operator has disabled the account: until it is enabled again, its apps reach nothing over MQTT. */
  disabledAt: v.optional(EpochMilliseconds),
});
export type ProfileRow = v.InferOutput<typeof ProfileRow>;

/** Names of the IoT policies of people begin with it: `thingstead-person-<person>-<number>`. */
export const PERSON_POLICY_PREFIX = 'thingstead-person-';

/** Who a Cognito identity belongs to. */
export function identityKey(identityId: string): Key {
  return { pk: `identity#${identityId}`, sk: 'person' };
}

/** An MQTT connection of a person's app, written by a rule when it begins. It may be long over. */
export function sessionKey(identityId: string, clientId: string): Key {
  return { pk: `identity#${identityId}`, sk: `session#${clientId}` };
}

export const SessionRow = v.object({ clientId: v.string(), connectedAt: EpochMilliseconds });
export type SessionRow = v.InferOutput<typeof SessionRow>;

/** The pairing code with this selector. */
export function codeKey(selector: string): Key {
  return { pk: `code#${selector}`, sk: 'code' };
}

export const CodeRow = v.object({
  thing: ThingName,
  /** SHA-256 of the whole code with the thing's name, in hex. */
  hash: v.string(),
  /** Wrong ones that are still taken. At none the code is void. */
  attemptsLeft: v.pipe(v.number(), v.integer()),
  endsAt: EpochMilliseconds,
  /** Who has taken possession with it: they may send it again, and nobody else. */
  usedBy: v.optional(PersonId),
  expiresAt: EpochSeconds,
});
export type CodeRow = v.InferOutput<typeof CodeRow>;

/** Which code a thing has at present. */
export function thingCodeKey(thing: string): Key {
  return { pk: `thing#${thing}`, sk: 'code' };
}

/** Wrong codes of one person. */
export function attemptsKey(person: string): Key {
  return { pk: personPartition(person), sk: 'attempts' };
}

export const AttemptsRow = v.object({ wrong: v.pipe(v.number(), v.integer()), windowEndsAt: EpochMilliseconds });
export type AttemptsRow = v.InferOutput<typeof AttemptsRow>;

/** An invitation to one thing or site; its token is known to whoever got it, and stored as a hash. */
export function invitationKey(target: GrantTarget, id: string): Key {
  return { pk: targetKey(target), sk: `invitation#${id}` };
}

export const InvitationRow = v.object({
  id: v.string(),
  hash: v.string(),
  /** `owner`: whoever accepts it gets the thing, and everybody else loses it. */
  role: Role,
  createdBy: PersonId,
  createdAt: EpochMilliseconds,
  /** Of the owner who made it: void when the thing has another since. */
  ownerSince: EpochMilliseconds,
  endsAt: EpochMilliseconds,
  expiresAt: EpochSeconds,
  /** When the access that it gives ends. */
  grantEndsAt: v.optional(EpochMilliseconds),
  /** Who has accepted it: they may send it again, and nobody else. */
  acceptedBy: v.optional(PersonId),
});
export type InvitationRow = v.InferOutput<typeof InvitationRow>;
