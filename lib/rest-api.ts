import { ROUTES, type RouteGroup } from '@thingstead/contracts/routes';
import type { Route } from '@thingstead/contracts/routes/route';
import { CfnOutput, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import {
  CfnStage,
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpStage,
  type IHttpRouteAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUserPoolAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import type { PlatformConfig } from './platform-config.ts';
import { STATE_EXPORTS } from './resource-names.ts';

/** One line of JSON for each request. No query and no token is in it. */
const ACCESS_LOG_FORMAT = JSON.stringify({
  requestId: '$context.requestId',
  at: '$context.requestTimeEpoch',
  route: '$context.routeKey',
  status: '$context.status',
  person: '$context.authorizer.claims.sub',
  milliseconds: '$context.responseLatency',
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
});

export interface RestApiProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
}

/**
 * The REST API: an HTTP API that lets in access tokens of the user pool, for the app's client and for no other. Its routes are
 * those of the contracts; each group of them is answered by one function.
 */
export class RestApi extends Construct {
  readonly #api: HttpApi;
  readonly #authorizer: IHttpRouteAuthorizer;

  constructor(scope: Construct, id: string, { config, alarms }: RestApiProps) {
    super(scope, id);
    const { allowedOrigins, requestsPerSecond, burst } = config.access;
    this.#api = new HttpApi(this, 'Api', {
      apiName: 'thingstead',
      description: 'Thingstead: people and their things',
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: allowedOrigins,
        allowMethods: [
          CorsHttpMethod.GET,
          CorsHttpMethod.POST,
          CorsHttpMethod.PUT,
          CorsHttpMethod.PATCH,
          CorsHttpMethod.DELETE,
        ],
        allowHeaders: ['authorization', 'content-type', 'if-match', 'idempotency-key'],
        exposeHeaders: ['etag', 'retry-after'],
        maxAge: Duration.hours(1),
      },
    });
    const accessLog = new LogGroup(this, 'AccessLog', {
      logGroupName: '/thingstead/rest-api',
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.#api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: requestsPerSecond, burstLimit: burst },
    });
    const { defaultChild } = stage.node;
    if (defaultChild instanceof CfnStage) {
      defaultChild.accessLogSettings = { destinationArn: accessLog.logGroupArn, format: ACCESS_LOG_FORMAT };
    }
    const pool = UserPool.fromUserPoolId(this, 'UserPool', Fn.importValue(STATE_EXPORTS.userPoolId));
    const clientId = Fn.importValue(STATE_EXPORTS.appClientId);
    this.#authorizer = new HttpUserPoolAuthorizer('People', pool, {
      userPoolClients: [UserPoolClient.fromUserPoolClientId(this, 'AppClient', clientId)],
    });
    alarms.onServerErrors(this.#api.apiId, {
      name: 'rest-api-server-errors',
      errorImpact:
        'A request of a person was answered with 500 or more. Nothing is half done that the same request would not complete. The access log /thingstead/rest-api names route and request id, which is the correlation id of the answer; it finds the error in the log of the function.',
    });
    new CfnOutput(this, 'Url', { value: this.#api.apiEndpoint }).overrideLogicalId('ApiUrl');
  }

  /** Has a function answer a group of routes. */
  addRoutes(group: RouteGroup, fn: LambdaFunction): void {
    const integration = new HttpLambdaIntegration(`${group}Integration`, fn, { scopePermissionToRoute: false });
    const routes: readonly Route[] = Object.values(ROUTES[group]);
    for (const { path, method } of routes) {
      this.#api.addRoutes({ path, methods: [HttpMethod[method]], integration, authorizer: this.#authorizer });
    }
  }
}
