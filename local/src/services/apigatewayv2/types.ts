/** The resources of API Gateway's HTTP APIs, with the names that the API has for their members. */

export interface CorsConfiguration {
  readonly allowCredentials: boolean | undefined;
  readonly allowHeaders: readonly string[] | undefined;
  readonly allowMethods: readonly string[] | undefined;
  readonly allowOrigins: readonly string[] | undefined;
  readonly exposeHeaders: readonly string[] | undefined;
  /** Seconds. */
  readonly maxAge: number | undefined;
}

/** https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html */
export interface Api {
  readonly apiId: string;
  readonly name: string;
  readonly protocolType: 'HTTP';
  readonly apiEndpoint: string;
  readonly routeSelectionExpression: string;
  readonly corsConfiguration: CorsConfiguration | undefined;
  readonly description: string | undefined;
  readonly version: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly createdDate: string;
}

export interface RouteSettings {
  readonly detailedMetricsEnabled: boolean | undefined;
  /** How many requests may come at once. */
  readonly throttlingBurstLimit: number | undefined;
  /** Requests per second. */
  readonly throttlingRateLimit: number | undefined;
}

export interface Stage {
  readonly stageName: string;
  readonly autoDeploy: boolean;
  readonly deploymentId: string | undefined;
  readonly description: string | undefined;
  readonly defaultRouteSettings: RouteSettings | undefined;
  readonly routeSettings: Readonly<Record<string, RouteSettings>>;
  readonly stageVariables: Readonly<Record<string, string>> | undefined;
  readonly accessLogSettings: { readonly destinationArn: string; readonly format: string } | undefined;
  readonly createdDate: string;
}

export interface Route {
  readonly routeId: string;
  /** `GET /things/{id}` or `$default`. */
  readonly routeKey: string;
  readonly apiKeyRequired: false;
  readonly authorizationType: 'NONE' | 'JWT' | 'AWS_IAM' | 'CUSTOM';
  readonly authorizerId: string | undefined;
  readonly authorizationScopes: readonly string[];
  readonly operationName: string | undefined;
  /** `integrations/<id>` */
  readonly target: string | undefined;
}

export interface Integration {
  readonly integrationId: string;
  readonly integrationType: 'AWS_PROXY';
  readonly integrationMethod: string;
  readonly connectionType: 'INTERNET';
  /** ARN of the function. */
  readonly integrationUri: string;
  readonly payloadFormatVersion: PayloadFormatVersion;
  readonly timeoutInMillis: number;
  readonly description: string | undefined;
}

export type PayloadFormatVersion = '1.0' | '2.0';

interface AuthorizerBase {
  readonly authorizerId: string;
  readonly name: string;
  /** `$request.header.Authorization` and the like. */
  readonly identitySource: readonly string[];
}

export interface JwtAuthorizer extends AuthorizerBase {
  readonly authorizerType: 'JWT';
  readonly jwtConfiguration: { readonly audience: readonly string[]; readonly issuer: string };
}

export interface RequestAuthorizer extends AuthorizerBase {
  readonly authorizerType: 'REQUEST';
  /** ARN of the function, in the form `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<ARN>/invocations`. */
  readonly authorizerUri: string;
  readonly authorizerPayloadFormatVersion: PayloadFormatVersion;
  readonly enableSimpleResponses: boolean;
  /** Zero: answers are not kept. */
  readonly authorizerResultTtlInSeconds: number;
}

export type Authorizer = JwtAuthorizer | RequestAuthorizer;

/** What a stage serves: that of the API now, or as it was at a deployment. */
export interface Configuration {
  readonly routes: Map<string, Route>;
  readonly integrations: Map<string, Integration>;
  readonly authorizers: Map<string, Authorizer>;
}

export interface Deployment extends Configuration {
  readonly deploymentId: string;
  readonly description: string | undefined;
  readonly createdDate: string;
}

/** An API with all that belongs to it. */
export interface StoredApi extends Configuration {
  definition: Api;
  /** Where it listens. */
  readonly port: number;
  readonly stages: Map<string, Stage>;
  readonly deployments: Map<string, Deployment>;
}
