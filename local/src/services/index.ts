/** Every service of the runtime, in the order in which they are made, and every resource type of templates. */
import type { LocalIam } from '../iam/local-iam.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { declaredOnlyResources } from '../template/declared-only.ts';
import type { ResourceHandler } from '../template/resource-handler.ts';
import type { Stacks } from '../template/stacks.ts';
import type { ServerCertificate } from '../tls/server-certificate.ts';
import { createApigatewayv2Service } from './apigatewayv2/index.ts';
import { apigatewayv2Resources } from './apigatewayv2/resources.ts';
import { createCloudformationService } from './cloudformation/index.ts';
import { createCloudwatchService } from './cloudwatch/index.ts';
import { cloudwatchResources } from './cloudwatch/resources.ts';
import { createCognitoIdentityService } from './cognito-identity/index.ts';
import { cognitoIdentityResources } from './cognito-identity/resources.ts';
import { createCognitoIdpService } from './cognito-idp/index.ts';
import { cognitoIdpResources } from './cognito-idp/resources.ts';
import { createDynamodbService } from './dynamodb/index.ts';
import { dynamodbResources } from './dynamodb/resources.ts';
import { createEventsService } from './events/index.ts';
import { eventsResources } from './events/resources.ts';
import { createFirehoseService } from './firehose/index.ts';
import { firehoseResources } from './firehose/resources.ts';
import { createIamService } from './iam/index.ts';
import { iamResources } from './iam/resources.ts';
import { createIotServices } from './iot/index.ts';
import { iotResources } from './iot/resources.ts';
import { createKinesisService } from './kinesis/index.ts';
import { kinesisResources } from './kinesis/resources.ts';
import { createKmsService } from './kms/index.ts';
import { kmsResources } from './kms/resources.ts';
import { createLambdaService } from './lambda/index.ts';
import { lambdaResources } from './lambda/resources.ts';
import { createLogsService } from './logs/index.ts';
import { logsResources } from './logs/resources.ts';
import { createS3Service } from './s3/index.ts';
import { s3Resources } from './s3/resources.ts';
import { createSecretsmanagerService } from './secretsmanager/index.ts';
import { secretsmanagerResources } from './secretsmanager/resources.ts';
import { createSnsService } from './sns/index.ts';
import { snsResources } from './sns/resources.ts';
import { createSqsService } from './sqs/index.ts';
import { sqsResources } from './sqs/resources.ts';
import { createStsService } from './sts/index.ts';

export interface ServiceOptions {
  readonly iam: LocalIam;
  readonly stacks: Stacks;
  readonly ports: Ports;
  readonly host: string;
  readonly tls: ServerCertificate;
}

export interface Ports {
  readonly aws: number;
  readonly mqtt: number;
  readonly deviceHttps: number;
  /** Of the first HTTP API; each further one has the next. */
  readonly api: number;
}

/** A server beside the AWS endpoint: MQTT, device HTTPS, HTTP APIs. */
export interface Listener {
  /** Rejects with the system's error when the port is taken. */
  listen(): Promise<void>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Registers all services with the kernel; gives the servers that they need besides the AWS endpoint. */
export function registerServices(
  kernel: Kernel,
  { iam, stacks, host, ports, tls }: ServiceOptions,
): readonly Listener[] {
  const iot = createIotServices(kernel, { host, ports, tls });
  const apigatewayv2 = createApigatewayv2Service(kernel, { iam, host, port: ports.api });
  const services = [
    apigatewayv2.service,
    createIamService(kernel, iam),
    createStsService(kernel, iam),
    createCloudformationService(kernel, stacks),
    createCloudwatchService(kernel),
    createCognitoIdentityService(kernel, iam),
    createCognitoIdpService(kernel),
    createDynamodbService(kernel),
    createEventsService(kernel),
    createFirehoseService(kernel),
    ...iot.services,
    createKinesisService(kernel),
    createKmsService(kernel),
    createLambdaService(kernel),
    createLogsService(kernel),
    createS3Service(kernel),
    createSecretsmanagerService(kernel),
    createSnsService(kernel, tls.rootCaFile),
    createSqsService(kernel),
  ];
  for (const service of services) kernel.register(service);
  return [...iot.listeners, apigatewayv2.listener];
}

/** What the template loader can create. */
export const resourceHandlers: readonly ResourceHandler[] = [
  ...declaredOnlyResources,
  ...apigatewayv2Resources,
  ...cloudwatchResources,
  ...cognitoIdentityResources,
  ...cognitoIdpResources,
  ...dynamodbResources,
  ...eventsResources,
  ...firehoseResources,
  ...iamResources,
  ...iotResources,
  ...kinesisResources,
  ...kmsResources,
  ...lambdaResources,
  ...logsResources,
  ...s3Resources,
  ...secretsmanagerResources,
  ...snsResources,
  ...sqsResources,
];
