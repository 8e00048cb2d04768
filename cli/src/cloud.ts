/** The only place where AWS clients are made. */
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeEndpointCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CommandError } from './command-error.ts';
import type { Target } from './target.ts';

/** Where devices connect. */
export interface DeviceEndpoint {
  readonly host: string;
  readonly port: number;
  /** Absent on AWS: the machine's own root certificates know its CA. */
  readonly rootCaFile?: string;
}

export interface Cloud {
  readonly local: boolean;
  readonly iot: IoTClient;
  readonly tables: DynamoDBDocumentClient;
  readonly kms: KMSClient;
  readonly users: CognitoIdentityProviderClient;
  iotData(): Promise<IoTDataPlaneClient>;
  deviceEndpoint(): Promise<DeviceEndpoint>;
  /** Tells one account, region or runtime from another. */
  id(): Promise<string>;
}

/** Clients for the target. Nothing is called yet. */
export function connectTo(target: Target): Cloud {
  const documents = { marshallOptions: { removeUndefinedValues: true } };
  if (target.kind === 'local') {
    const { awsEndpoint, region, operator, mqtt, rootCaFile } = target.endpoints;
    // One attempt: a local runtime that does not answer is not running.
    const config = { endpoint: awsEndpoint, region, credentials: operator, maxAttempts: 1 };
    return {
      local: true,
      iot: new IoTClient(config),
      tables: DynamoDBDocumentClient.from(new DynamoDBClient(config), documents),
      kms: new KMSClient(config),
      users: new CognitoIdentityProviderClient(config),
      iotData: async () => new IoTDataPlaneClient(config),
      deviceEndpoint: async () => ({ ...mqtt, rootCaFile }),
      id: async () => awsEndpoint,
    };
  }
  const { region, profile } = target;
  const config = { ...(region === undefined ? {} : { region }), ...(profile === undefined ? {} : { profile }) };
  const iot = new IoTClient(config);
  let address: Promise<string> | undefined;
  const dataAddress = (): Promise<string> => {
    address ??= describeEndpoint(iot);
    return address;
  };
  return {
    local: false,
    iot,
    tables: DynamoDBDocumentClient.from(new DynamoDBClient(config), documents),
    kms: new KMSClient(config),
    users: new CognitoIdentityProviderClient(config),
    iotData: async () => new IoTDataPlaneClient({ ...config, endpoint: `https://${await dataAddress()}` }),
    deviceEndpoint: async () => ({ host: await dataAddress(), port: 8883 }),
    id: dataAddress,
  };
}

/** The account's own endpoint, with a server certificate of Amazon Trust Services. */
async function describeEndpoint(iot: IoTClient): Promise<string> {
  const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
  if (!endpointAddress) throw new CommandError('failed', 'AWS IoT gave no endpoint.');
  return endpointAddress;
}
