import { PAIRING_SELECTOR_LENGTH } from '@thingstead/contracts/pairing';
import { siteOf } from '@thingstead/contracts/things';
import { type Refusal, refusal } from '../http/request.ts';
import { site, thing } from './holder.ts';
import type { Change, Ports } from './ports.ts';
import { roomFor } from './room.ts';
import { codeHash, sameHash } from './secret.ts';
import { untilDone } from './until-done.ts';

export interface Possession {
  readonly ok: true;
  readonly body: { readonly thing: string; readonly role: 'owner'; readonly visibleFrom: number };
}

/** One answer for a code that is wrong, used, over, or of a thing that cannot be had: none tells a guesser more. */
const NO_CODE = refusal(404, 'no thing shows this code, or it is void; ask the device for a new one');
/** What a wrong code is compared with where there is no row. */
const NOTHING = { thing: '', hash: codeHash('', '') };

/**
 * A person types the code that a device shows, and owns the thing. INVARIANTS:
 * - every attempt is counted before the code is looked at, so that guesses made at the same time are counted too;
 * - a wrong code makes the same calls and gets the same answer whether its first characters find a row or not;
 * - the code is used, the owner row written and the grant given in one commit, or nothing is: one owner, whatever the race;
 * - whoever has used a code may send it again, for an answer that was lost.
 */
export async function pair(
  { person, code }: { readonly person: string; readonly code: string },
  ports: Ports,
): Promise<Possession | Refusal> {
  const { attempts, reports, now } = ports;
  const begun = await attempts.begin(person, now());
  if (!begun.allowed) {
    const seconds = Math.max(1, Math.ceil((begun.until - now()) / 1000));
    reports.done('locked_out', { person });
    return refusal(429, `too many wrong codes; try again in ${seconds} s`, { 'retry-after': String(seconds) });
  }
  const selector = code.slice(0, PAIRING_SELECTOR_LENGTH);
  const row = await attempts.take(selector, now());
  const compared = row ?? NOTHING;
  if (!sameHash(compared.hash, codeHash(compared.thing, code)) || !row) {
    reports.done('wrong_code', { person });
    return NO_CODE;
  }
  const outcome = await possess(person, selector, row, ports);
  await attempts.undo(person);
  return outcome;
}

async function possess(
  person: string,
  selector: string,
  { thing: name, hash }: { readonly thing: string; readonly hash: string },
  ports: Ports,
): Promise<Possession | Refusal> {
  const { rows, directory, now, reports } = ports;
  const target = thing(name);
  const siteName = siteOf(name);
  // A token outlives its account by some minutes.
  if (!(await directory.exists(person))) return refusal(403, 'this account was deleted');
  return untilDone<Possession | Refusal>(async () => {
    const room = await roomFor(person, target, 'owner', ports);
    const code = await rows.code(selector);
    if (code?.hash !== hash || code.endsAt <= now()) return NO_CODE;
    if (code.usedBy !== undefined) return code.usedBy === person ? possessed(person, name, ports) : NO_CODE;
    if (!(await rows.codesOf(name)).includes(hash)) return NO_CODE;
    if (await rows.owner(target)) return NO_CODE;
    if (siteName !== undefined && (await rows.owner(site(siteName)))) return NO_CODE;
    if (!room.ok) return room;
    const since = now();
    const ofSite: readonly Change[] =
      siteName === undefined
        ? []
        : [
            { do: 'check-no-owner', target: site(siteName) },
            { do: 'count-owned-things', site: siteName, add: 1 },
          ];
    const done = await rows.commit([
      { do: 'use-code', selector, hash, person },
      { do: 'forget-codes', thing: name, hash },
      { do: 'put-owner', target, owner: { person, since, shares: 0 } },
      {
        do: 'put-grant',
        grant: { person, target, role: 'owner', visibleFrom: since, grantedBy: person, grantedAt: since },
      },
      { do: 'take-turn', person, turn: room.turn },
      ...ofSite,
    ]);
    if (!done) return undefined;
    reports.done('paired', { person, thing: name });
    return { ok: true, body: { thing: name, role: 'owner', visibleFrom: since } };
  });
}

/** The same answer again, unless it was given away since. */
async function possessed(person: string, name: string, { rows }: Ports): Promise<Possession | Refusal> {
  const grant = await rows.grant(person, thing(name));
  if (grant?.role !== 'owner') return NO_CODE;
  return { ok: true, body: { thing: name, role: 'owner', visibleFrom: grant.visibleFrom } };
}
