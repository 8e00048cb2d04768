/** A role that may do what its statements say, for tests of single permissions. */
import { randomUUID } from 'node:crypto';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Runtime } from './runtime.ts';

export interface Grant {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

/** Creates a role that the account or these services may take. Gives its ARN. */
export async function createRole(
  { config, endpoints }: Runtime,
  grants: readonly Grant[],
  service?: string,
): Promise<string> {
  const iam = new IAMClient(config);
  const RoleName = `role-${randomUUID()}`;
  const Principal = service ? { Service: service } : { AWS: `arn:aws:iam::${endpoints.accountId}:root` };
  const document = (Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const AssumeRolePolicyDocument = document([{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }]);
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  const PolicyDocument = document(grants.map((each) => ({ Effect: 'Allow', ...each })));
  if (grants.length > 0) await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'grants', PolicyDocument }));
  return String(Role?.Arn);
}

/** The configuration of clients that have these rights and no others. */
export async function roleConfig(runtime: Runtime, ...grants: readonly Grant[]): Promise<Runtime['config']> {
  const RoleArn = await createRole(runtime, grants);
  const input = { RoleArn, RoleSessionName: 'test' };
  const { Credentials } = await new STSClient(runtime.config).send(new AssumeRoleCommand(input));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return { ...runtime.config, credentials };
}
