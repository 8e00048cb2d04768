import type { ROUTES } from '@thingstead/contracts/routes';
import type { RouteHandlers } from '../http/request.ts';
import { accept } from './accept.ts';
import { site, thing } from './holder.ts';
import { invite, openInvitations, withdraw } from './invite.ts';
import { decommission, giveSite, release } from './operator.ts';
import { pair } from './pair.ts';
import type { Ports } from './ports.ts';
import { grantsFor, leave, unshare } from './sharing.ts';

/** What answers each route of pairing. */
export function pairingHandlers(ports: Ports): RouteHandlers<typeof ROUTES.pairing> {
  return {
    pair: ({ caller, body }) => pair({ person: caller.person, code: body.code }, ports),
    leaveThing: ({ caller, params }) => leave(caller.person, thing(params.thing), ports),
    leaveSite: ({ caller, params }) => leave(caller.person, site(params.site), ports),
    listThingGrants: ({ caller, params }) => grantsFor(caller.person, thing(params.thing), ports),
    listSiteGrants: ({ caller, params }) => grantsFor(caller.person, site(params.site), ports),
    removeThingGrant: ({ caller, params }) =>
      unshare({ owner: caller.person, person: params.person, target: thing(params.thing) }, ports),
    removeSiteGrant: ({ caller, params }) =>
      unshare({ owner: caller.person, person: params.person, target: site(params.site) }, ports),
    inviteToThing: ({ caller, params, body }) =>
      invite({ ...body, owner: caller.person, target: thing(params.thing) }, ports),
    inviteToSite: ({ caller, params, body }) =>
      invite({ ...body, owner: caller.person, target: site(params.site) }, ports),
    listThingInvitations: ({ caller, params }) => openInvitations(caller.person, thing(params.thing), ports),
    removeThingInvitation: ({ caller, params }) =>
      withdraw({ owner: caller.person, target: thing(params.thing), id: params.invitation }, ports),
    listSiteInvitations: ({ caller, params }) => openInvitations(caller.person, site(params.site), ports),
    removeSiteInvitation: ({ caller, params }) =>
      withdraw({ owner: caller.person, target: site(params.site), id: params.invitation }, ports),
    async acceptInvitation({ caller, body }) {
      const accepted = await accept({ person: caller.person, token: body.token }, ports);
      if (!accepted.ok) return accepted;
      const { target, role, visibleFrom, endsAt } = accepted.held;
      const ends = endsAt === undefined ? {} : { endsAt };
      return { ok: true, body: { [target.kind]: target.name, role, visibleFrom, ...ends } };
    },
    putSite: ({ caller, params, body }) => giveSite({ site: params.site, to: body.owner, by: caller.person }, ports),
    releaseThing: ({ caller, params }) => release({ thing: params.thing, by: caller.person }, ports),
    decommissionThing: ({ caller, params }) => decommission({ thing: params.thing, by: caller.person }, ports),
  };
}
