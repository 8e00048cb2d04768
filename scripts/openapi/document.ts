/** The REST API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html), from the route contracts alone. */
import { DEVICE_ROUTES } from '../../contracts/src/routes/devices.ts';
import { ROUTES } from '../../contracts/src/routes/index.ts';
import type { Audience, Route } from '../../contracts/src/routes/route.ts';
import { type Json, jsonSchema, members, namedSchemas } from './json-schema.ts';

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const GATEWAY = { 'application/json': { schema: { $ref: '#/components/schemas/GatewayRefusal' } } };

/** Refusals that any route may answer with, by name in `components`. */
const RESPONSES = {
  InvalidRequest: {
    description: 'The request does not keep to this document; `errors` names each wrong member',
    content: PROBLEM,
  },
  Unauthorized: {
    description: 'There is no valid access token. What the gateway finds out, it says in its own words',
    content: { ...PROBLEM, ...GATEWAY },
  },
  TooManyRequests: {
    description:
      'Too many requests, of this person or altogether. The header `retry-after` has seconds, where it is known when to try again',
    content: { ...PROBLEM, ...GATEWAY },
  },
  InternalError: {
    description: 'Something went wrong; `correlationId` finds it in the log',
    content: { ...PROBLEM, ...GATEWAY },
  },
  Unavailable: {
    description: 'The gateway got no answer in time, or has no room. The request may have been carried out',
    content: GATEWAY,
  },
};

const GROUPS = { ...ROUTES, devices: DEVICE_ROUTES };

/** Builds the document. The order of everything in it is that of the contracts. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [group, routes] of Object.entries(GROUPS)) {
    for (const route of Object.values<Route>(routes)) {
      paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(group, route) };
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Thingstead',
      version: '0.0.0',
      summary: 'People and their things',
      description:
        'Written by `node scripts/openapi.ts` from the route contracts, which the functions and the typed client use too. Times are epoch milliseconds, UTC. Refusals are `application/problem+json` (RFC 9457), but for those of the gateway itself.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      {
        url: '{apiUrl}',
        description:
          'The output `ApiUrl` of the platform stack; `apiUrl` in `.thingstead/endpoints.json` of the local runtime',
        variables: { apiUrl: { default: 'http://127.0.0.1:4580' } },
      },
    ],
    security: [{ accessToken: [] }, { signIn: [] }],
    tags: Object.keys(GROUPS).map((name) => ({ name })),
    paths,
    components: {
      schemas: { ...namedSchemas(), GatewayRefusal: GATEWAY_REFUSAL },
      responses: RESPONSES,
      securitySchemes: SECURITY,
    },
  };
}

const GATEWAY_REFUSAL = {
  type: 'object',
  description: 'What the gateway answers itself; the header `apigw-requestid` finds it in the access log',
  properties: { message: { type: ['string', 'null'] } },
  required: ['message'],
};

const SECURITY = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of the user pool, for the client of the app. Apps get it by SRP. It lives for 15 minutes.',
  },
  signIn: {
    type: 'oauth2',
    description: 'Authorization code with PKCE (S256), at the address of the output `SignInUrl` of the state stack.',
    flows: {
      authorizationCode: {
        authorizationUrl: 'https://thingstead-ACCOUNT.auth.REGION.amazoncognito.com/oauth2/authorize',
        tokenUrl: 'https://thingstead-ACCOUNT.auth.REGION.amazoncognito.com/oauth2/token',
        refreshUrl: 'https://thingstead-ACCOUNT.auth.REGION.amazoncognito.com/oauth2/token',
        scopes: {},
      },
    },
  },
};

function operation(group: string, route: Route): Json {
  const { operationId, summary, audience, body } = route;
  return {
    operationId,
    tags: [group],
    summary,
    description: `For ${wordsFor(audience)}.`,
    ...(audience.kind === 'device' && { security: [] }),
    parameters: [
      ...parameters('path', route.params),
      ...parameters('query', route.query),
      ...(route.headers ? parameters('header', route.headers) : []),
    ],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } },
    }),
    responses: responses(route),
  };
}

function wordsFor(audience: Audience): string {
  if (audience.kind === 'person') return 'everybody who is signed in, about themselves';
  if (audience.kind === 'staff') return `members of the group ${audience.groups.join(' or ')}`;
  if (audience.kind === 'device') return 'devices; the request itself proves which one';
  const staff = audience.staff.length === 0 ? '' : `, and for members of the group ${audience.staff.join(' or ')}`;
  return `${audience.role === 'owner' ? 'the owner' : `whoever is at least a ${audience.role}`}${staff}`;
}

function parameters(place: 'path' | 'query' | 'header', schema: Route['query']): readonly Json[] {
  return members(schema).map((each) => ({ in: place, ...each }));
}

function responses({ status, answer, problems, audience }: Route): Json {
  const forbidden =
    audience.kind === 'person' || audience.kind === 'device' ? {} : { 403: problem(forbiddenWords(audience)) };
  const expected = Object.entries(problems).map(([code, words]) => [code, problem(words)]);
  const named = (name: keyof typeof RESPONSES): Json => ({ $ref: `#/components/responses/${name}` });
  return {
    [status]: answer
      ? { description: 'Done', content: { 'application/json': { schema: jsonSchema(answer, 'output') } } }
      : { description: 'Done' },
    400: named('InvalidRequest'),
    ...(audience.kind !== 'device' && { 401: named('Unauthorized') }),
    ...forbidden,
    ...Object.fromEntries(expected),
    429: named('TooManyRequests'),
    500: named('InternalError'),
    503: named('Unavailable'),
  };
}

function forbiddenWords(audience: Audience): string {
  return audience.kind === 'staff' ? 'The caller is not of the group' : 'The caller’s role is not enough';
}

function problem(description: string): Json {
  return { description: description.charAt(0).toUpperCase() + description.slice(1), content: PROBLEM };
}
