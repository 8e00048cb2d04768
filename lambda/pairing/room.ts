import { type GrantTarget, isInForce, MAX_GRANTS_PER_PERSON, type Role, targetKey } from '@thingstead/contracts/grants';
import { countOfPolicies, fitsPolicies, MAX_POLICIES } from '../authorization/person-policy.ts';
import { type Refusal, refusal } from '../http/request.ts';
import type { Ports } from './ports.ts';

/**
 * Whether a person can have one more grant: their IoT policies say all of them, and there is only so much room in these.
 * The turn belongs into the commit that adds it. It is read first, so that what is added after it makes the commit fail.
 */
export async function roomFor(
  person: string,
  target: GrantTarget,
  role: Role,
  { rows, now }: Pick<Ports, 'rows' | 'now'>,
): Promise<{ readonly ok: true; readonly turn: number } | Refusal> {
  const { turn, closedUntil = 0 } = await rows.turn(person);
  if (now() < closedUntil) return refusal(403, 'this account is being deleted');
  const key = targetKey(target);
  const others = (await rows.grants(person)).filter((grant) => grant.target !== key && isInForce(grant, now()));
  const all = [...others, { target: key, role }];
  if (all.length <= MAX_GRANTS_PER_PERSON && fitsPolicies(all)) return { ok: true, turn };
  return refusal(
    409,
    `you have access to ${others.length} things and sites, each by itself, and no more fit: with this one they would take ` +
      `${countOfPolicies(all)} IoT policies of the ${MAX_POLICIES} that one person can have; have things of one place grouped ` +
      'into a site, which counts once however many things it has, or leave some',
  );
}
