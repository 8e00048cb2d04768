/** Routes by which people get things, share them and give them up. */
import * as v from 'valibot';
import { PersonId, Role, SiteName, ThingName } from '../grants.ts';
import { PairingCode } from '../pairing.ts';
import { EpochMilliseconds, None, route } from './route.ts';

const ThingParams = v.strictObject({ thing: ThingName });
const SiteParams = v.strictObject({ site: SiteName });

const Owned = v.object({ thing: ThingName, role: Role, visibleFrom: EpochMilliseconds });

const Grant = v.object({
  person: PersonId,
  role: Role,
  grantedAt: EpochMilliseconds,
  endsAt: v.optional(EpochMilliseconds),
});

const InvitationRequest = v.strictObject({
  /** `owner` transfers: whoever accepts it is the owner, and nobody else keeps access. */
  role: Role,
  /** How long the invitation can be accepted. */
  validSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(30 * 86_400)), 7 * 86_400),
  /** When the access that it gives ends; absent: when it is taken away. Not for `owner`. */
  accessSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(3650 * 86_400))),
});
const Invitation = v.object({ id: v.string(), role: Role, createdAt: EpochMilliseconds, endsAt: EpochMilliseconds });
const NewInvitation = v.object({
  ...Invitation.entries,
  /** Whoever has it can accept the invitation, once. It is not shown again. */
  token: v.string(),
});
const InvitationId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,32}$/, 'is no id of an invitation'));

/** Grants of staff for what belongs to people: none. Sharing is the owner's. */
const OWNER = { kind: 'grant', role: 'owner', staff: [] } as const;
const NO_SUCH_THING = { 404: 'there is no such thing, or it is not mine' };

export const pairingRoutes = {
  pair: route({
    operationId: 'pair',
    method: 'POST',
    path: '/pairings',
    summary: 'Takes possession of the thing that shows this code',
    audience: { kind: 'person' },
    params: None,
    query: None,
    body: v.strictObject({ code: PairingCode }),
    status: 201,
    answer: Owned,
    problems: {
      404: 'no thing shows this code, or it is void',
      409: 'I have as many things as one person can have; the detail has the number',
    },
  }),
  leaveThing: route({
    operationId: 'leaveThing',
    method: 'DELETE',
    path: '/things/{thing}/grant',
    summary: 'Ends my own access. When I am the owner, I give the thing up, and everybody loses it',
    audience: { kind: 'grant', role: 'viewer', staff: [] },
    params: ThingParams,
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: { ...NO_SUCH_THING, 409: 'my access comes from a site, and is left there' },
  }),
  listThingGrants: route({
    operationId: 'listThingGrants',
    method: 'GET',
    path: '/things/{thing}/grants',
    summary: 'Who has access to a thing of mine by a grant for it alone',
    audience: OWNER,
    params: ThingParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({ grants: v.array(Grant) }),
    problems: NO_SUCH_THING,
  }),
  removeThingGrant: route({
    operationId: 'removeThingGrant',
    method: 'DELETE',
    path: '/things/{thing}/grants/{person}',
    summary: 'Takes a person’s access to a thing of mine away',
    audience: OWNER,
    params: v.strictObject({ ...ThingParams.entries, person: PersonId }),
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: { 404: 'there is no such thing or no such grant', 409: 'the owner’s own grant is given up by leaving' },
  }),
  inviteToThing: route({
    operationId: 'inviteToThing',
    method: 'POST',
    path: '/things/{thing}/invitations',
    summary: 'Shares a thing of mine with whoever accepts the invitation, or transfers it',
    audience: OWNER,
    params: ThingParams,
    query: None,
    body: InvitationRequest,
    status: 201,
    answer: NewInvitation,
    problems: {
      ...NO_SUCH_THING,
      409: 'there are too many open invitations, or the thing is transferred only with its site',
    },
  }),
  listThingInvitations: route({
    operationId: 'listThingInvitations',
    method: 'GET',
    path: '/things/{thing}/invitations',
    summary: 'Open invitations to a thing of mine',
    audience: OWNER,
    params: ThingParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({ invitations: v.array(Invitation) }),
    problems: NO_SUCH_THING,
  }),
  removeThingInvitation: route({
    operationId: 'removeThingInvitation',
    method: 'DELETE',
    path: '/things/{thing}/invitations/{invitation}',
    summary: 'Withdraws an invitation',
    audience: OWNER,
    params: v.strictObject({ ...ThingParams.entries, invitation: InvitationId }),
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: NO_SUCH_THING,
  }),
  acceptInvitation: route({
    operationId: 'acceptInvitation',
    method: 'POST',
    path: '/invitations',
    summary: 'Accepts an invitation',
    audience: { kind: 'person' },
    params: None,
    query: None,
    body: v.strictObject({ token: v.pipe(v.string(), v.minLength(1), v.maxLength(256)) }),
    status: 201,
    answer: v.object({
      thing: v.optional(ThingName),
      site: v.optional(SiteName),
      role: Role,
      visibleFrom: EpochMilliseconds,
      endsAt: v.optional(EpochMilliseconds),
    }),
    problems: {
      404: 'there is no such invitation, or it is void',
      409: 'I am the owner already, or I have as many things as one person can have',
    },
  }),
  leaveSite: route({
    operationId: 'leaveSite',
    method: 'DELETE',
    path: '/sites/{site}/grant',
    summary: 'Ends my own access to a site. Its owner cannot leave it, only transfer it',
    audience: { kind: 'grant', role: 'viewer', staff: [] },
    params: SiteParams,
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: { 404: 'there is no such site, or it is not mine', 409: 'I am its owner' },
  }),
  listSiteGrants: route({
    operationId: 'listSiteGrants',
    method: 'GET',
    path: '/sites/{site}/grants',
    summary: 'Who has access to a site of mine',
    audience: OWNER,
    params: SiteParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({ grants: v.array(Grant) }),
    problems: { 404: 'there is no such site, or it is not mine' },
  }),
  removeSiteGrant: route({
    operationId: 'removeSiteGrant',
    method: 'DELETE',
    path: '/sites/{site}/grants/{person}',
    summary: 'Takes a person’s access to a site of mine away',
    audience: OWNER,
    params: v.strictObject({ ...SiteParams.entries, person: PersonId }),
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: { 404: 'there is no such site or no such grant', 409: 'the owner’s own grant cannot be taken' },
  }),
  inviteToSite: route({
    operationId: 'inviteToSite',
    method: 'POST',
    path: '/sites/{site}/invitations',
    summary: 'Shares a site of mine, or transfers it with all its things',
    audience: OWNER,
    params: SiteParams,
    query: None,
    body: InvitationRequest,
    status: 201,
    answer: NewInvitation,
    problems: { 404: 'there is no such site, or it is not mine', 409: 'there are too many open invitations' },
  }),
  putSite: route({
    operationId: 'putSite',
    method: 'PUT',
    path: '/operator/sites/{site}',
    summary: 'Makes a site and names its owner, or gives it to another; everybody else loses access to it then',
    audience: { kind: 'staff', groups: ['operator'] },
    params: SiteParams,
    query: None,
    body: v.strictObject({ owner: PersonId }),
    status: 200,
    answer: v.object({ site: SiteName, owner: PersonId, since: EpochMilliseconds }),
    problems: { 404: 'there is no such person', 409: 'a thing of this site has an owner of its own' },
  }),
  releaseThing: route({
    operationId: 'releaseThing',
    method: 'DELETE',
    path: '/operator/things/{thing}/owner',
    summary:
      'Ends everybody’s access to a thing, so that it can be paired again: for a device that was sold with its owner unknown',
    audience: { kind: 'staff', groups: ['operator'] },
    params: ThingParams,
    query: None,
    body: undefined,
    status: 204,
    answer: undefined,
    problems: { 404: 'the thing has no owner' },
  }),
  decommissionThing: route({
    operationId: 'decommissionThing',
    method: 'POST',
    path: '/operator/things/{thing}/decommission',
    summary:
      'Revokes the thing’s certificates, ends its connection and everybody’s access. It cannot come back with its certificates',
    audience: { kind: 'staff', groups: ['operator'] },
    params: ThingParams,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({ thing: ThingName, revokedCertificates: v.array(v.string()) }),
    problems: { 404: 'there is no such thing' },
  }),
};
