/** How CloudFormation makes, changes and removes what belongs to an API: operations that only the runtime has. */
import type { AnyOperation } from '../../../kernel/service.ts';
import { optionalText } from '../../../template/property-values.ts';
import { internalOperation } from '../../internal-operation.ts';
import type { Apis } from '../apis.ts';
import { type Properties, readApi } from '../definitions/api.ts';
import { readAuthorizer } from '../definitions/authorizer.ts';
import { readIntegration } from '../definitions/integration.ts';
import { readRoute } from '../definitions/route.ts';
import { readStage } from '../definitions/stage.ts';
import { badRequest, notFound } from '../errors.ts';
import type { Deployment, StoredApi } from '../types.ts';

/** The parts of an API, by the name of their path in the control API. */
export type Part = 'routes' | 'integrations' | 'authorizers' | 'stages' | 'deployments';

export interface PutApiInput {
  readonly apiId: string;
  readonly properties: Properties;
}

export interface PutPartInput {
  readonly part: Part;
  readonly id: string;
  /** As the template has them, `ApiId` included. */
  readonly properties: Properties;
}

export interface DeletePartInput {
  readonly part: Part;
  readonly apiId: string;
  readonly id: string;
}

export function putOperations(apis: Apis): Readonly<Record<string, AnyOperation>> {
  const internal = <Input>(name: string, run: (input: Input) => unknown) =>
    internalOperation('apigatewayv2', name, run);
  return {
    PutApi: internal('PutApi', (input: PutApiInput) => putApi(apis, input)),
    PutPart: internal('PutPart', (input: PutPartInput) => putPart(apis, input)),
    RemoveApi: internal('RemoveApi', ({ apiId }: { readonly apiId: string }) => apis.remove(apiId)),
    // With its API all parts of it are gone already.
    RemovePart: internal('RemovePart', ({ part, apiId, id }: DeletePartInput) => apis.find(apiId)?.[part].delete(id)),
  };
}

function putApi(apis: Apis, { apiId, properties }: PutApiInput) {
  const existing = apis.find(apiId);
  const createdDate = existing?.definition.createdDate ?? nowOf(apis);
  const { port, apiEndpoint } = existing
    ? { port: existing.port, apiEndpoint: existing.definition.apiEndpoint }
    : apis.nextEndpoint();
  const definition = readApi(properties, { apiId, apiEndpoint, createdDate });
  if (existing) existing.definition = definition;
  else {
    apis.add({
      definition,
      port,
      routes: new Map(),
      integrations: new Map(),
      authorizers: new Map(),
      stages: new Map(),
      deployments: new Map(),
    });
  }
  return definition;
}

function putPart(apis: Apis, { part, id, properties }: PutPartInput): void {
  const api = apis.get(optionalText(properties.ApiId));
  switch (part) {
    case 'routes':
      api.routes.set(id, readRoute(api, properties, id));
      return;
    case 'integrations':
      api.integrations.set(id, readIntegration(properties, id));
      return;
    case 'authorizers':
      api.authorizers.set(id, readAuthorizer(properties, id, apis.kernel));
      return;
    case 'stages':
      api.stages.set(id, readStage(api, properties, api.stages.get(id)?.createdDate ?? nowOf(apis)));
      return;
    case 'deployments':
      putDeployment(apis, api, id, properties);
  }
}

/** A deployment that is there keeps what it served. With a stage named, that stage serves it. */
function putDeployment(apis: Apis, api: StoredApi, id: string, properties: Properties): void {
  const description = optionalText(properties.Description);
  const stageName = optionalText(properties.StageName);
  const stage = stageName === undefined ? undefined : api.stages.get(stageName);
  if (stageName !== undefined && !stage) throw notFound('Stage', stageName);
  const existing = api.deployments.get(id);
  api.deployments.set(id, existing ? { ...existing, description } : snapshot(api, id, description, nowOf(apis)));
  if (stage) api.stages.set(stage.stageName, { ...stage, deploymentId: id });
}

/** What was configured at this moment. Definitions are replaced as a whole, never changed: they can be shared. */
function snapshot(
  { routes, integrations, authorizers }: StoredApi,
  deploymentId: string,
  description: string | undefined,
  createdDate: string,
): Deployment {
  if (routes.size === 0) throw badRequest('At least one route is required before deploying the Api.');
  return {
    deploymentId,
    description,
    createdDate,
    routes: new Map(routes),
    integrations: new Map(integrations),
    authorizers: new Map(authorizers),
  };
}

function nowOf({ kernel }: Apis): string {
  return `${new Date(kernel.clock.now()).toISOString().slice(0, 19)}Z`;
}
