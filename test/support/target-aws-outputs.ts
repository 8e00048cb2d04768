/** Reads stack outputs with a signed request: one operation is not worth the CloudFormation client. */
import { Sha256 } from '@aws-crypto/sha256-js';
import type { IoTClient } from '@aws-sdk/client-iot';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

type Credentials = IoTClient['config']['credentials'];

/** Outputs of these stacks by key. @throws Error that says what to run when a stack is not deployed completely. */
export async function stackOutputs(
  stacks: readonly string[],
  region: string,
  credentials: Credentials,
): Promise<Record<string, string>> {
  const found = await Promise.all(stacks.map((each) => describeStack(each, region, credentials)));
  return Object.assign({}, ...found);
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
async function describeStack(stack: string, region: string, credentials: Credentials): Promise<Record<string, string>> {
  const url = new URL(process.env.AWS_ENDPOINT_URL ?? `https://cloudformation.${region}.amazonaws.com`);
  const signer = new SignatureV4({ service: 'cloudformation', region, credentials, sha256: Sha256 });
  const request = await signer.sign(
    new HttpRequest({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: '/',
      headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Action: 'DescribeStacks', Version: '2010-05-15', StackName: stack }).toString(),
    }),
  );
  const { host: _host, ...headers } = request.headers;
  const response = await fetch(url, { method: 'POST', headers, body: request.body });
  const text = await response.text();
  if (text.includes('does not exist')) throw notDeployed(stack, region, 'it is not there');
  if (!response.ok) throw new Error(`DescribeStacks ${stack} in ${region} answered ${response.status}: ${text}`);
  const status = /<StackStatus>([^<]*)/.exec(text)?.[1];
  // Every status of a stack whose resources are all there ends so, a rollback of an update included.
  if (!status || !/^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE$/.test(status)) {
    throw notDeployed(stack, region, `its status is ${status}`);
  }
  const members = text.matchAll(/<OutputKey>([^<]*)<\/OutputKey>\s*<OutputValue>([^<]*)<\/OutputValue>/g);
  return Object.fromEntries(Array.from(members, ([, key = '', value = '']) => [key, value]));
}

function notDeployed(stack: string, region: string, why: string): Error {
  return new Error(
    `TARGET=aws runs against deployed stacks, and ${stack} is not deployed in ${region}: ${why}. ` +
      'Run "npx cdk deploy --all", or set AWS_REGION and AWS_PROFILE to where it is.',
  );
}
