import { optionalNumber, optionalText, text } from '../../../template/property-values.ts';
import { badRequest, notEmulatedHere } from '../errors.ts';
import type { Integration, PayloadFormatVersion } from '../types.ts';
import type { Properties } from './api.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 50;
const FUNCTION_ARN = /(arn:aws[\w-]*:lambda:[^:]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)(?:\/invocations)?$/;

/**
 * An integration from the properties of a template.
 *
 * @throws AwsError BadRequestException; NotEmulated for everything but AWS_PROXY to a function
 */
export function readIntegration(properties: Properties, integrationId: string): Integration {
  const integrationType = text(properties.IntegrationType, 'IntegrationType');
  if (integrationType !== 'AWS_PROXY') throw notEmulatedHere(`integrations of type ${integrationType}`);
  const connectionType = optionalText(properties.ConnectionType) ?? 'INTERNET';
  if (connectionType !== 'INTERNET') throw notEmulatedHere(`connections of type ${connectionType}`);
  const timeoutInMillis = optionalNumber(properties.TimeoutInMillis) ?? MAX_TIMEOUT_MS;
  if (timeoutInMillis < MIN_TIMEOUT_MS || timeoutInMillis > MAX_TIMEOUT_MS) {
    throw badRequest(`Timeout should be between ${MIN_TIMEOUT_MS} ms and ${MAX_TIMEOUT_MS} ms`);
  }
  return {
    integrationId,
    integrationType,
    connectionType,
    integrationMethod: optionalText(properties.IntegrationMethod) ?? 'POST',
    integrationUri: functionArnIn(text(properties.IntegrationUri, 'IntegrationUri')),
    payloadFormatVersion: payloadFormatVersion(properties.PayloadFormatVersion, 'PayloadFormatVersion'),
    timeoutInMillis,
    description: optionalText(properties.Description),
  };
}

/**
 * The function that an address of Lambda's API names: its ARN alone, or inside
 * `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<ARN>/invocations`.
 */
export function functionArnIn(uri: string): string {
  const arn = FUNCTION_ARN.exec(uri)?.[1];
  if (arn === undefined) throw badRequest(`Invalid function ARN or invalid uri: ${uri}`);
  return arn;
}

/** @throws AwsError BadRequestException when it is neither 1.0 nor 2.0 */
export function payloadFormatVersion(value: unknown, name: string): PayloadFormatVersion {
  const version = text(value, name);
  if (version !== '1.0' && version !== '2.0') throw badRequest(`${name} is ${version}; it is 1.0 or 2.0.`);
  return version;
}
