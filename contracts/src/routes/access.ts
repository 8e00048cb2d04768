/** Routes about the person who is signed in. */
import * as v from 'valibot';
import { PersonId, STAFF_GROUPS } from '../grants.ts';
import { EpochMilliseconds, None, route } from './route.ts';

/** The identity pool's id of a person: `us-east-1:` and a UUID. */
const IdentityId = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}:[0-9a-f-]{36}$/));

const Me = v.object({
  person: PersonId,
  groups: v.array(v.picklist(STAFF_GROUPS)),
  /** Present once the person's app has asked for it. */
  identityId: v.optional(IdentityId),
});

export const accessRoutes = {
  getMe: route({
    operationId: 'getMe',
    method: 'GET',
    path: '/me',
    summary: 'Who I am',
    audience: { kind: 'person' },
    params: None,
    query: None,
    body: undefined,
    status: 200,
    answer: Me,
    problems: {},
  }),
  putIdentity: route({
    operationId: 'putIdentity',
    method: 'PUT',
    path: '/me/identity',
    summary:
      'Makes my things reachable for MQTT from my app: names my Cognito identity, which is taken from my ID token',
    audience: { kind: 'person' },
    params: None,
    query: None,
    body: v.strictObject({ idToken: v.pipe(v.string(), v.minLength(1), v.maxLength(16_384)) }),
    status: 200,
    answer: v.object({
      identityId: IdentityId,
      /** MQTT client ids begin with it; what follows is the app's choice, `[a-zA-Z0-9]{1,32}`. */
      clientIdPrefix: v.string(),
    }),
    problems: { 403: 'the ID token is not of the person who is signed in, or it is not good any more' },
  }),
  exportMe: route({
    operationId: 'exportMe',
    method: 'GET',
    path: '/me/export',
    summary:
      'Everything that is stored about me, besides telemetry, commands and files of my things, which have routes of their own',
    audience: { kind: 'person' },
    params: None,
    query: None,
    body: undefined,
    status: 200,
    answer: v.object({
      person: PersonId,
      account: v.record(v.string(), v.unknown()),
      /** Of the access table: what I have, and of each connection of my apps the client id and its begin. */
      rows: v.array(v.record(v.string(), v.unknown())),
      /** When I have linked Alexa, if I have. */
      voice: v.optional(v.object({ linkedAt: EpochMilliseconds })),
      /** Channels on which I am told, without tokens of telephones, and what I want to be told. */
      notices: v.record(v.string(), v.unknown()),
    }),
    problems: {},
  }),
  deleteMe: route({
    operationId: 'deleteMe',
    method: 'DELETE',
    path: '/me',
    summary: 'Deletes my account: gives up my things, ends what I share, and removes what is stored about me',
    audience: { kind: 'person' },
    params: None,
    query: v.strictObject({ confirm: v.literal('delete-my-account') }),
    body: undefined,
    status: 204,
    answer: undefined,
    problems: { 409: 'I own a site; an operator has to give it to somebody first' },
  }),
};
