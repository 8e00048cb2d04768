import type { accessRoutes } from '@thingstead/contracts/routes/access';
import { type RouteHandlers, refusal } from '../http/request.ts';
import { deleteAccount } from './delete-account.ts';
import { nameIdentity } from './name-identity.ts';
import type { Ports } from './ports.ts';

/** Answers the routes about the person who is signed in. */
export function accessHandlers(ports: Ports): RouteHandlers<typeof accessRoutes> {
  const { people, accounts, identities, notices, voiceLinks, reports } = ports;
  return {
    async getMe({ caller: { person, groups } }) {
      const identityId = (await people.profile(person))?.identityId;
      return { ok: true, body: { person, groups: [...groups], ...(identityId !== undefined && { identityId }) } };
    },

    /** The access token says who calls, but not which identity: that only the identity pool knows, by the ID token. */
    async putIdentity({ caller: { person }, body: { idToken } }) {
      const verified = await identities.verify(idToken);
      if (!verified.ok) return refusal(403, 'idToken is no ID token of this app, or has expired');
      if (verified.person !== person) return refusal(403, 'idToken is not of the person who is signed in');
      const identityId = await identities.of(idToken);
      if (identityId === undefined)
        return refusal(403, 'the identity pool does not take this idToken: its sign-in was ended');
      if (await nameIdentity(person, identityId, people)) reports.identityNamed(person, identityId);
      return { ok: true, body: { identityId, clientIdPrefix: `${identityId}-` } };
    },

    async exportMe({ caller: { person } }) {
      const [account = {}, rows, connections, told, voice] = await Promise.all([
        accounts.describe(person),
        people.rows(person),
        people.connections(person),
        notices.describe(person),
        voiceLinks.describe(person),
      ]);
      return {
        ok: true,
        body: { person, account, rows: [...rows, ...connections], notices: told, ...(voice && { voice }) },
      };
    },

    async deleteMe({ caller: { person } }) {
      return deleteAccount(person, ports);
    },
  };
}
