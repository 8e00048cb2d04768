import { ROUTES, type RouteGroup } from '@thingstead/contracts/routes';
import { DEVICE_ROUTES } from '@thingstead/contracts/routes/devices';
import type { Route } from '@thingstead/contracts/routes/route';
import { CfnOutput, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import {
  type CfnStage,
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
import { acknowledge } from './acknowledge.ts';
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

/** Requests that anybody can make, as CloudFormation spells it. A fleet that comes back from the shelf at once tries again. */
const DEVICE_THROTTLE = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };

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
  readonly #stage: CfnStage;
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
    // The default child of the construct is the CloudFormation resource itself.
    this.#stage = stage.node.defaultChild as CfnStage;
    this.#stage.accessLogSettings = { destinationArn: accessLog.logGroupArn, format: ACCESS_LOG_FORMAT };
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

  /**
   * Has a function answer the routes for devices that have no token. Anybody can call them, so that fewer requests a second are
   * taken than of people.
   */
  addDeviceRoutes(fn: LambdaFunction): void {
    const integration = new HttpLambdaIntegration('devicesIntegration', fn, { scopePermissionToRoute: false });
    const settings: Record<string, typeof DEVICE_THROTTLE> = {};
    for (const { path, method } of Object.values<Route>(DEVICE_ROUTES)) {
      const routes = this.#api.addRoutes({ path, methods: [HttpMethod[method]], integration });
      settings[`${method} ${path}`] = DEVICE_THROTTLE;
      for (const each of routes) {
        const reason = 'It is for devices that cannot connect: the request is signed with the key of the certificate.';
        acknowledge(each, 'AwsSolutions-APIG4', reason);
      }
      // Settings for a route that is not there yet are refused.
      this.#stage.node.addDependency(...routes);
    }
    this.#stage.routeSettings = settings;
  }

  get apiId(): string {
    return this.#api.apiId;
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
