/** The OpenAPI document: what is in docs/ is valid OpenAPI 3.1, and means what the routes mean. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROUTES } from '@thingstead/contracts/routes';
import { DEVICE_ROUTES } from '@thingstead/contracts/routes/devices';
import type { Route } from '@thingstead/contracts/routes/route';
import { validate } from '@thingstead/contracts/validate';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openApiDocument } from '../../scripts/openapi/document.ts';

type Json = Readonly<Record<string, unknown>>;
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Json;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Json } } };
  readonly responses: Readonly<
    Record<string, Json & { readonly content?: Readonly<Record<string, { schema: Json }>> }>
  >;
}

const document = JSON.parse(readFileSync(path.resolve(__dirname, '../../docs/openapi.json'), 'utf8'));
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([template, methods]) => Object.entries(methods).map(([method, operation]) => ({ template, method, operation })),
);
const routes: readonly Route[] = [...Object.values(ROUTES), DEVICE_ROUTES].flatMap((group) =>
  Object.values<Route>(group),
);

/** Every object in the document, with where it is. */
function* objects(value: unknown, at = '#'): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Json];
  for (const [name, member] of Object.entries(value)) yield* objects(member, `${at}/${name}`);
}

function resolve(ref: string): unknown {
  const names = ref.slice(2).split('/');
  return names.reduce<unknown>((value, name) => (value as Json | undefined)?.[name], document);
}

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });

/** References are to the document, wherever a schema stands in it. */
function compile(schema: Json): ValidateFunction {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return ajv.compile(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
}

describe('docs/openapi.json', () => {
  it('is up to date', () => {
    expect(document).toEqual(openApiDocument());
  });

  it('has what OpenAPI 3.1 wants of a document', () => {
    expect(document).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d+$/),
      info: { title: expect.any(String), version: expect.any(String) },
      servers: [{ url: expect.any(String) }],
    });
    const schemes = Object.keys(document.components.securitySchemes);
    for (const requirement of document.security)
      expect(schemes).toEqual(expect.arrayContaining(Object.keys(requirement)));
    for (const name of ['schemas', 'responses', 'securitySchemes']) {
      for (const key of Object.keys(document.components[name])) expect(key).toMatch(/^[a-zA-Z0-9._-]+$/);
    }
  });

  it('refers to nothing that is not there', () => {
    const refs = [...objects(document)].flatMap(([at, { $ref }]) => (typeof $ref === 'string' ? [{ at, $ref }] : []));
    expect(refs.length).toBeGreaterThan(100);
    expect(refs.filter(({ $ref }) => !$ref.startsWith('#/') || resolve($ref) === undefined)).toEqual([]);
  });

  it('has each route once, and nothing else', () => {
    const told = operations.map(({ template, method, operation }) => `${method} ${template} ${operation.operationId}`);
    const meant = routes.map((route) => `${route.method.toLowerCase()} ${route.path} ${route.operationId}`);
    expect(told.toSorted()).toEqual(meant.toSorted());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });

  it.each(operations)('$operation.operationId has its parameters, answers and refusals', ({ template, operation }) => {
    const { parameters, responses } = operation;
    const inPath = parameters.filter((each) => each.in === 'path');
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(inPath.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(inPath.every(({ required }) => required)).toBe(true);
    expect(new Set(parameters.map((each) => `${each.in} ${each.name}`)).size).toBe(parameters.length);

    const statuses = Object.keys(responses);
    expect(statuses.filter((each) => each.startsWith('2'))).toHaveLength(1);
    // Devices have no token that could be wrong.
    const token = Object.keys(DEVICE_ROUTES).includes(operation.operationId) ? [] : ['401'];
    expect(statuses).toEqual(expect.arrayContaining(['400', ...token, '429', '500', '503']));
    for (const response of Object.values(responses)) {
      const { description } = (typeof response.$ref === 'string' ? resolve(response.$ref) : response) as Json;
      expect(description).toEqual(expect.any(String));
    }
  });

  it('has schemas that are schemas', () => {
    const parts = operations.flatMap(({ operation: { parameters, requestBody, responses } }) => [
      ...parameters.map(({ schema }) => schema),
      ...(requestBody ? [requestBody.content['application/json'].schema] : []),
      ...Object.values(responses).flatMap(({ content = {} }) => Object.values(content).map(({ schema }) => schema)),
    ]);
    expect(parts.length).toBeGreaterThan(100);
    for (const schema of parts) expect(compile(schema)).toEqual(expect.any(Function));
  });
});

describe('a body', () => {
  const person = '2b1c7f0e-1111-4222-8333-444455556666';
  it.each<readonly [string, unknown]>([
    ['pair', { code: 'ACDE-F346' }],
    ['pair', { code: 7 }],
    ['pair', { code: 'ACDEF346', thing: 'barn1' }],
    ['inviteToThing', { role: 'viewer' }],
    ['inviteToThing', { role: 'admin' }],
    ['inviteToThing', { role: 'viewer', validSeconds: 59 }],
    ['inviteToThing', { role: 'viewer', validSeconds: 60.5 }],
    ['inviteToThing', { validSeconds: 3600 }],
    ['putSite', { owner: person }],
    ['putSite', { owner: 'somebody else' }],
    ['patchThing', { label: 'Barn' }],
    ['patchThing', { label: null }],
    ['patchThing', { label: '' }],
    ['patchThing', { label: 'a\u0007b' }],
    ['patchThing', {}],
    ['patchState', { desired: { fan: 'on', deep: [{ er: 1 }] } }],
    ['patchState', { desired: 'on' }],
    ['patchState', { desired: { '': 1 } }],
    ['patchState', []],
    ['giveCommand', { name: 'reboot' }],
    ['giveCommand', { name: 'reboot', payload: null, ttlSeconds: 5 }],
    ['giveCommand', { name: 'reboot now' }],
    ['giveCommand', { name: 'reboot', ttlSeconds: 4 }],
  ])('of %s is right for the document when it is right for the route: %j', (operationId, body) => {
    const route = routes.find((each) => each.operationId === operationId);
    const operation = operations.find((each) => each.operation.operationId === operationId)?.operation;
    if (!route?.body || !operation?.requestBody) throw new Error(`${operationId} has no body`);

    const isRight = compile(operation.requestBody.content['application/json'].schema)(body);

    expect(isRight).toBe(validate(route.body, body).ok);
  });
});
