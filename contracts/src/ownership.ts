/**
 * Rows of the access table beside grants and owners, by which changes of them are right under races. A grant that an owner gave
 * has a twin, a member row, in the partition of what is owned: whoever gives it away finds there, by a consistent read, whose
 * access ends. The twin does not expire; the owner row counts them.
 */
import * as v from 'valibot';
import { GrantTarget, PersonId, personPartition, Role, targetKey } from './grants.ts';

const Count = v.pipe(v.number(), v.integer());
const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Members of one thing or site begin with it; without one, all that the owner of `holder` has given. */
export function memberPrefix(of?: GrantTarget): string {
  return of === undefined ? 'member#' : `member#${targetKey(of)}#`;
}

/** `holder` is what has the owner: the thing itself, or its site. */
export function memberKey(holder: GrantTarget, of: GrantTarget, person: string): Key {
  return { pk: targetKey(holder), sk: `${memberPrefix(of)}${person}` };
}

/** What the owner of a thing or site has given to whom. No member is called `target`: it is no entry of the index of grants. */
export const MemberRow = v.object({
  person: PersonId,
  of: GrantTarget,
  role: Role,
  grantedAt: EpochMilliseconds,
  endsAt: v.optional(EpochMilliseconds),
});
export type MemberRow = v.InferOutput<typeof MemberRow>;

/** How many things of a site have an owner of their own: only without one the site gets an owner. */
export function ownedThingsKey(site: string): Key {
  return { pk: targetKey({ kind: 'site', name: site }), sk: 'owned-things' };
}

export const OwnedThingsRow = v.object({ things: Count });

/** Rises with every grant that a person gets: two that come at the same time do not both take the last place. */
export function turnKey(person: string): Key {
  return { pk: personPartition(person), sk: 'grants-added' };
}

export const TurnRow = v.object({
  turn: Count,
  /** The account is being deleted: until then it gets no grant, also from a request that was under way before. */
  closedUntil: v.optional(EpochMilliseconds),
});
export type TurnRow = v.InferOutput<typeof TurnRow>;

/** The codes that a thing shows: the last one, and twins of it that went out because an event came twice. */
export const ThingCodesRow = v.object({
  /** Which request they answer. */
  request: v.string(),
  hashes: v.array(v.string()),
  /** How many codes it was given until `windowEndsAt`. */
  asked: Count,
  windowEndsAt: EpochMilliseconds,
});
export type ThingCodesRow = v.InferOutput<typeof ThingCodesRow>;
