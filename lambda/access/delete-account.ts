import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { type Refusal, refusal } from '../http/request.ts';
import type { Ports } from './ports.ts';

const CONCURRENCY = 4;
/** Longer than an access token lives and a request takes: what is accepted or paired at this moment comes to nothing. */
const CLOSED_MS = 60 * 60_000;

/**
 * Gives up what the person has and removes what is stored about them. It may be cut off anywhere and asked for again: what is needed to
 * find the rest goes after the rest, and the account, without which nobody could ask again, at last. Policies and connections
 * of the person's apps end as the table's stream tells of the rows.
 */
export async function deleteAccount(
  person: string,
  ports: Ports,
): Promise<{ readonly ok: true; readonly body: undefined } | Refusal> {
  const { people, accounts, identities, possessions, notices, voiceLinks, reports, now } = ports;
  const sites = (await possessions.targets(person)).filter(({ target, owned }) => owned && target.kind === 'site');
  if (sites.length > 0) {
    return refusal(
      409,
      `you own ${sites.map(({ target }) => target.name).join(', ')}; transfer it, or have the operator give it to somebody first`,
    );
  }
  await people.close(person, now() + CLOSED_MS);
  const held = await possessions.targets(person);
  const left = await mapConcurrent(held, CONCURRENCY, ({ target }) => possessions.leave(person, target));
  const stuck = left.find((each) => !each.ok);
  if (stuck?.ok === false) {
    await people.reopen(person);
    return refusal(409, stuck.detail);
  }

  await notices.forget(person);
  await voiceLinks.remove(person);
  const identityId = (await people.profile(person))?.identityId;
  if (identityId !== undefined) {
    await identities.remove(identityId);
    await people.removeIdentity(identityId);
  }
  await people.removeRows(person);
  await accounts.remove(person);
  reports.deleted(person);
  return { ok: true, body: undefined };
}
