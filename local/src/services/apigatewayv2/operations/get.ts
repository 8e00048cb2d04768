/** What the control API tells (https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/). Nothing is changed by it here. */
import { type Route, route } from '../../../http/protocols/index.ts';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Apis } from '../apis.ts';
import { badRequest, notFound } from '../errors.ts';
import type { Deployment, StoredApi } from '../types.ts';
import type { Part } from './put.ts';

interface Input {
  readonly ApiId?: string;
  readonly Id?: string;
  readonly MaxResults?: string;
  readonly NextToken?: string;
}

interface Kind {
  readonly part: Part;
  /** `Route`: the operations are GetRoute and GetRoutes. */
  readonly name: string;
}

const KINDS: readonly Kind[] = [
  { part: 'authorizers', name: 'Authorizer' },
  { part: 'deployments', name: 'Deployment' },
  { part: 'integrations', name: 'Integration' },
  { part: 'routes', name: 'Route' },
  { part: 'stages', name: 'Stage' },
];

const PAGE = { query: { MaxResults: 'maxResults', NextToken: 'nextToken' } };

export const GET_ROUTES: readonly Route[] = [
  route('GET', '/v2/apis', 'GetApis', PAGE),
  route('GET', '/v2/apis/{ApiId}', 'GetApi'),
  ...KINDS.flatMap(({ part, name }) => [
    route('GET', `/v2/apis/{ApiId}/${part}`, `Get${name}s`, PAGE),
    route('GET', `/v2/apis/{ApiId}/${part}/{Id}`, `Get${name}`),
  ]),
];

/** GetApi, GetApis, and both for each part of an API. */
export function getOperations(apis: Apis): Readonly<Record<string, AnyOperation>> {
  const { region } = apis.kernel;
  const get = (path: (input: Input) => string, run: (input: Input) => unknown) =>
    operation<Input, unknown>({
      permissions: (input) => [{ action: 'apigateway:GET', resource: `arn:aws:apigateway:${region}::/${path(input)}` }],
      run,
    });
  const parts = KINDS.flatMap(({ part, name }): [string, AnyOperation][] => {
    const one = ({ ApiId, Id = '' }: Input) => {
      const found = partsOf(apis.get(ApiId), part).get(Id);
      if (!found) throw notFound(name, Id);
      return found;
    };
    return [
      [`Get${name}`, get(({ ApiId, Id }) => `apis/${ApiId}/${part}/${Id}`, one)],
      [
        `Get${name}s`,
        get(
          ({ ApiId }) => `apis/${ApiId}/${part}`,
          (input) => page([...partsOf(apis.get(input.ApiId), part).values()], input),
        ),
      ],
    ];
  });
  return {
    GetApi: get(
      ({ ApiId }) => `apis/${ApiId}`,
      ({ ApiId }) => apis.get(ApiId).definition,
    ),
    GetApis: get(
      () => 'apis',
      (input) =>
        page(
          apis.all.map(({ definition }) => definition),
          input,
        ),
    ),
    ...Object.fromEntries(parts),
  };
}

function partsOf(api: StoredApi, part: Part): ReadonlyMap<string, unknown> {
  if (part !== 'deployments') return api[part];
  return new Map([...api.deployments].map(([id, each]) => [id, described(each)]));
}

function described({ deploymentId, description, createdDate }: Deployment) {
  return { deploymentId, description, createdDate, deploymentStatus: 'DEPLOYED', autoDeployed: false };
}

function page(all: readonly unknown[], { MaxResults = '100', NextToken = '0' }: Input) {
  const [size, start] = [Number(MaxResults), Number(NextToken)];
  if (!Number.isInteger(size) || size < 1) throw badRequest(`maxResults is ${MaxResults}; it is a number from 1.`);
  if (!Number.isInteger(start) || start < 0) throw badRequest('The nextToken is invalid.');
  const end = start + size;
  return { items: all.slice(start, end), ...(end < all.length && { nextToken: String(end) }) };
}
