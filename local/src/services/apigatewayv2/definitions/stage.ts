import {
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalText,
  text,
} from '../../../template/property-values.ts';
import { badRequest, notEmulatedHere, notFound } from '../errors.ts';
import type { RouteSettings, Stage, StoredApi } from '../types.ts';
import { type Properties, textMap } from './api.ts';

const SETTINGS = ['DetailedMetricsEnabled', 'ThrottlingBurstLimit', 'ThrottlingRateLimit'];
const LOG_GROUP = /^arn:aws[\w-]*:logs:[^:]+:\d{12}:log-group:([^:*]+)(?::\*)?$/;

/**
 * A stage from the properties of a template.
 *
 * @throws AwsError BadRequestException; NotFoundException for a deployment or route that is not there; NotEmulated for
 *   access logs that do not go to a log group
 */
export function readStage(api: StoredApi, properties: Properties, createdDate: string): Stage {
  const stageName = text(properties.StageName, 'StageName');
  if (stageName !== '$default' && !/^[\w-]{1,128}$/.test(stageName)) {
    throw badRequest('Stage name only allows a-zA-Z0-9_- and $default');
  }
  const deploymentId = optionalText(properties.DeploymentId);
  if (deploymentId !== undefined && !api.deployments.has(deploymentId)) throw notFound('Deployment', deploymentId);
  const defaults = optionalObject(properties.DefaultRouteSettings);
  return {
    stageName,
    autoDeploy: optionalBoolean(properties.AutoDeploy) ?? false,
    deploymentId,
    description: optionalText(properties.Description),
    defaultRouteSettings: defaults && readSettings(defaults, 'DefaultRouteSettings'),
    routeSettings: readRouteSettings(api, optionalObject(properties.RouteSettings) ?? {}),
    stageVariables: textMap(properties.StageVariables),
    accessLogSettings: readAccessLog(optionalObject(properties.AccessLogSettings)),
    createdDate,
  };
}

/** The log group that the ARN of a destination names. */
export function logGroupOf(destinationArn: string): string | undefined {
  return LOG_GROUP.exec(destinationArn)?.[1];
}

function readRouteSettings(api: StoredApi, given: Properties): Readonly<Record<string, RouteSettings>> {
  const keys = new Set([...api.routes.values()].map(({ routeKey }) => routeKey));
  return Object.fromEntries(
    Object.entries(given).map(([routeKey, settings]) => {
      if (!keys.has(routeKey)) throw notFound('Route', routeKey);
      return [routeKey, readSettings(optionalObject(settings) ?? {}, `RouteSettings.${routeKey}`)];
    }),
  );
}

function readSettings(given: Properties, path: string): RouteSettings {
  const unknown = Object.keys(given).find((name) => !SETTINGS.includes(name));
  if (unknown !== undefined) throw notEmulatedHere(`${path}.${unknown}; it knows ${SETTINGS.join(', ')}`);
  const limit = (name: string) => {
    const value = optionalNumber(given[name]);
    if (value !== undefined && value < 0) throw badRequest(`${path}.${name} is ${value}; it is not negative.`);
    return value;
  };
  return {
    detailedMetricsEnabled: optionalBoolean(given.DetailedMetricsEnabled),
    throttlingBurstLimit: limit('ThrottlingBurstLimit'),
    throttlingRateLimit: limit('ThrottlingRateLimit'),
  };
}

function readAccessLog(given: Properties | undefined): Stage['accessLogSettings'] {
  if (!given) return undefined;
  const destinationArn = text(given.DestinationArn, 'AccessLogSettings.DestinationArn');
  const format = text(given.Format, 'AccessLogSettings.Format');
  if (!logGroupOf(destinationArn)) throw notEmulatedHere(`access logs to ${destinationArn}; they go to a log group`);
  if (!/\$context\.(requestId|extendedRequestId)/.test(format)) {
    throw badRequest('Access log format must include at minimum $context.requestId or $context.extendedRequestId');
  }
  return { destinationArn, format };
}
