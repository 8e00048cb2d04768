import { createHash } from 'node:crypto';
import { text } from '../../template/property-values.ts';
import type { PropertySpec, ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';
import type { Part, PutApiInput, PutPartInput } from './operations/put.ts';
import type { Api } from './types.ts';

const ID_LENGTH = 10;
const ROUTE_SETTINGS = {
  DetailedMetricsEnabled: 'executed',
  ThrottlingBurstLimit: 'executed',
  ThrottlingRateLimit: 'executed',
} as const;

/** What CloudFormation creates in API Gateway for HTTP APIs. */
export const apigatewayv2Resources: readonly ResourceHandler[] = [
  {
    type: 'AWS::ApiGatewayV2::Api',
    properties: {
      CorsConfiguration: {
        AllowCredentials: 'executed',
        AllowHeaders: 'executed',
        AllowMethods: 'executed',
        AllowOrigins: 'executed',
        ExposeHeaders: 'executed',
        MaxAge: 'executed',
      },
      Description: 'executed',
      DisableExecuteApiEndpoint: 'executed',
      IpAddressType: 'declared',
      Name: 'executed',
      ProtocolType: 'executed',
      RouteSelectionExpression: 'declared',
      Tags: 'executed',
      Version: 'executed',
    },
    create: (request) => putApi(request, idOf(request)),
    update: {
      properties: ['CorsConfiguration', 'Description', 'DisableExecuteApiEndpoint', 'Name', 'Tags', 'Version'],
      by: (request, { ref }) => putApi(request, ref),
    },
    delete: (request, { ref: apiId }) => call(request, 'RemoveApi', { apiId }),
  },
  part('AWS::ApiGatewayV2::Authorizer', 'authorizers', 'AuthorizerId', {
    AuthorizerPayloadFormatVersion: 'executed',
    AuthorizerResultTtlInSeconds: 'executed',
    AuthorizerType: 'executed',
    AuthorizerUri: 'executed',
    EnableSimpleResponses: 'executed',
    IdentitySource: 'executed',
    JwtConfiguration: { Audience: 'executed', Issuer: 'executed' },
    Name: 'executed',
  }),
  part('AWS::ApiGatewayV2::Deployment', 'deployments', 'DeploymentId', {
    Description: 'executed',
    StageName: 'executed',
  }),
  part('AWS::ApiGatewayV2::Integration', 'integrations', 'IntegrationId', {
    ConnectionType: 'executed',
    Description: 'executed',
    IntegrationMethod: 'declared',
    IntegrationType: 'executed',
    IntegrationUri: 'executed',
    PayloadFormatVersion: 'executed',
    TimeoutInMillis: 'executed',
  }),
  part('AWS::ApiGatewayV2::Route', 'routes', 'RouteId', {
    ApiKeyRequired: 'executed',
    AuthorizationScopes: 'executed',
    AuthorizationType: 'executed',
    AuthorizerId: 'executed',
    OperationName: 'declared',
    RouteKey: 'executed',
    Target: 'executed',
  }),
  part('AWS::ApiGatewayV2::Stage', 'stages', undefined, {
    AccessLogSettings: { DestinationArn: 'executed', Format: 'executed' },
    AutoDeploy: 'executed',
    DefaultRouteSettings: ROUTE_SETTINGS,
    DeploymentId: 'executed',
    Description: 'executed',
    RouteSettings: 'executed',
    StageVariables: 'executed',
    Tags: 'declared',
  }),
];

/** A resource that belongs to an API. A stage is known by its name, everything else by an id. */
function part(
  type: string,
  kind: Part,
  idAttribute: string | undefined,
  changeable: Readonly<Record<string, PropertySpec>>,
): ResourceHandler {
  const put = async (request: ResourceRequest, id: string) => {
    await call(request, 'PutPart', { part: kind, id, properties: request.properties } satisfies PutPartInput);
    return { ref: id, attributes: idAttribute === undefined ? {} : { [idAttribute]: id } };
  };
  return {
    type,
    properties: { ApiId: 'executed', ...(idAttribute === undefined && { StageName: 'executed' }), ...changeable },
    create: (request) =>
      put(request, idAttribute === undefined ? text(request.properties.StageName, 'StageName') : idOf(request)),
    update: { properties: Object.keys(changeable), by: (request, { ref }) => put(request, ref) },
    delete: (request, { ref: id }) =>
      call(request, 'RemovePart', { part: kind, apiId: text(request.properties.ApiId, 'ApiId'), id }),
  };
}

async function putApi(request: ResourceRequest, apiId: string) {
  const input: PutApiInput = { apiId, properties: request.properties };
  const { apiEndpoint } = await call<Api>(request, 'PutApi', input);
  return { ref: apiId, attributes: { ApiEndpoint: apiEndpoint, ApiId: apiId } };
}

function call<Output = unknown>({ kernel }: ResourceRequest, operation: string, input: unknown): Promise<Output> {
  const caller = kernel.serviceCaller('apigateway.amazonaws.com', `arn:aws:apigateway:${kernel.region}::/apis`);
  return kernel.call<Output>('apigatewayv2', operation, input, caller);
}

/** Ten of a-z and 0-9, as on AWS, but the same at every start. */
function idOf({ generatedName }: ResourceRequest): string {
  const digest = createHash('sha256').update(generatedName).digest();
  return [...digest.subarray(0, ID_LENGTH)].map((byte) => (byte % 36).toString(36)).join('');
}
