import {
  type GrantRow,
  type GrantTarget,
  isInForce,
  PERSON_POLICY_PREFIX,
  targetKey,
} from '@thingstead/contracts/grants';
import { MAX_POLICIES, policyDocumentsOf } from '../authorization/person-policy.ts';
import { endSessions } from './end-sessions.ts';
import { lessens } from './lessens.ts';
import type { AttachedPolicy, Policies, Ports } from './ports.ts';

/** What the stream says of one person; it is a reason to look, and nothing in it is believed. */
export interface PersonChanges {
  readonly person: string;
  /** Grants that came or went. */
  readonly targets: readonly GrantTarget[];
  /** Grants that were written with an end. */
  readonly endings: readonly { readonly target: GrantTarget; readonly endsAt: number }[];
  /** Identities that the person had. */
  readonly identities: readonly string[];
}

/**
 * Makes everything that hangs on a person's grants what they say now. Safe to repeat, and to run for changes that are long
 * overtaken; two runs for one person at a time it does not bear, and a shard of the stream has none.
 */
export async function reconcile({ person, targets, endings, identities }: PersonChanges, ports: Ports): Promise<void> {
  const { people, watching, now } = ports;
  const profile = await people.profile(person);
  for (const identityId of identities) {
    if (identityId !== profile?.identityId) await clear(identityId, person, ports);
  }
  const grants = (await people.grants(person)).filter((grant) => isInForce(grant, now()));
  if (profile?.identityId !== undefined) {
    const reachable = profile.disabledAt === undefined ? grants : [];
    const reducedAt = await updatePolicies(person, profile.identityId, reachable, ports);
    const since = reducedAt ?? profile.accessReducedAt;
    if (since !== undefined) await endSessions(profile.identityId, since, person, ports);
  }
  for (const { target, endsAt } of endings) await ports.endings.schedule({ person, target, endsAt });
  for (const target of targets) {
    const holds = grants.some((grant) => grant.target === targetKey(target));
    await (holds ? watching.watch(person, target) : watching.unwatch(person, target));
  }
}

/**
 * Gives the time of the reduction when access is less than before. INVARIANTS:
 * - that time is stored before a policy is changed: after a crash the policies look right, and only that time says that
 *   connections are still to be ended;
 * - what grows is written from the last document to the first, what shrinks from the first to the last: a thing that moves from one
 *   document to another is always in one of them.
 */
async function updatePolicies(
  person: string,
  identityId: string,
  grants: readonly GrantRow[],
  { people, policies, reports, partition, now }: Ports,
): Promise<number | undefined> {
  const documents = policyDocumentsOf(grants, { partition, identityId });
  if (documents.length > MAX_POLICIES) reports.tooMany(person, documents.length);
  const wanted = documents.slice(0, MAX_POLICIES).map((document, n) => ({ name: nameOf(person, n + 1), document }));
  const attached = await policies.attached(identityId);
  const before = new Map(attached.map(({ name, document }) => [name, document]));
  const changed = wanted.filter(({ name, document }) => before.get(name) !== document);
  const surplus = await surplusOf(person, wanted, attached, policies);
  if (changed.length === 0 && surplus.length === 0) return undefined;

  const reduced = lessens(documentsOf(attached), documentsOf(wanted));
  const reducedAt = now();
  if (reduced) await people.noteReduction(person, reducedAt);
  for (const policy of reduced ? changed : changed.toReversed()) await policies.put(policy, identityId);
  for (const name of surplus) await policies.remove(name, identityId);
  reports.changed({ person, policies: wanted.length, reduced });
  return reduced ? reducedAt : undefined;
}

/**
 * Names of policies that are too many, the last one first: so that those which an earlier run has detached and not deleted any more
 * follow each other, and are found here.
 */
async function surplusOf(
  person: string,
  wanted: readonly AttachedPolicy[],
  attached: readonly AttachedPolicy[],
  policies: Policies,
): Promise<readonly string[]> {
  const kept = new Set(wanted.map(({ name }) => name));
  const surplus = new Set(attached.map(({ name }) => name).filter((name) => !kept.has(name)));
  for (let n = wanted.length + 1; n <= MAX_POLICIES; n += 1) {
    const name = nameOf(person, n);
    if (!surplus.has(name) && !(await policies.exists(name))) break;
    surplus.add(name);
  }
  return [...surplus].sort((one, other) => numberOf(other) - numberOf(one));
}

/** An identity that is the person's no more has no policies and no connections. */
async function clear(identityId: string, person: string, ports: Ports): Promise<void> {
  const { policies } = ports;
  const attached = await policies.attached(identityId);
  for (const name of await surplusOf(person, [], attached, policies)) await policies.remove(name, identityId);
  await endSessions(identityId, undefined, person, ports);
}

function nameOf(person: string, n: number): string {
  return `${PERSON_POLICY_PREFIX}${person}-${n}`;
}

function numberOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}

function documentsOf(policies: readonly AttachedPolicy[]): readonly string[] {
  return policies.map(({ document }) => document);
}
