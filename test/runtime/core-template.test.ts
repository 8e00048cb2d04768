/** A cloud assembly through the whole process: what starts, what it leaves behind, what stops it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-assembly-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeAssembly(template: object): void {
  const Farm = {
    type: 'aws:cloudformation:stack',
    environment: 'aws://unknown-account/unknown-region',
    properties: { templateFile: 'Farm.template.json', tags: { team: 'farm' } },
  };
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ version: '1', artifacts: { Farm } }));
  writeFileSync(path.join(folder, 'Farm.template.json'), JSON.stringify(template));
}

const template = {
  Description: 'A queue and a role that may send to it',
  Resources: {
    Policy: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'send',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] } }],
        },
      },
    },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'sender',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
        },
      },
    },
    Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: '45' } },
    Board: { Type: 'AWS::CloudWatch::Dashboard', Properties: { DashboardBody: '{}' } },
  },
  Outputs: {
    QueueUrl: { Value: { Ref: 'Queue' } },
    QueueArn: { Value: { 'Fn::GetAtt': 'Queue.Arn' }, Export: { Name: 'q' } },
  },
};

/** DescribeStacks, as any client of CloudFormation sends it. */
async function describeStacks(runtime: Runtime): Promise<string> {
  const { hostname, port, host } = new URL(runtime.endpoints.awsEndpoint);
  const headers = { host, 'content-type': 'application/x-www-form-urlencoded' };
  const body = 'Action=DescribeStacks&Version=2010-05-15&StackName=Farm';
  const signer = new SignatureV4({ ...runtime.config, service: 'cloudformation', sha256: Sha256 });
  const signed = await signer.sign(new HttpRequest({ method: 'POST', hostname, port: Number(port), headers, body }));
  return (await fetch(runtime.endpoints.awsEndpoint, { method: 'POST', headers: signed.headers, body })).text();
}

it('is deployed: resources, outputs, stacks; the same again after a reset', async () => {
  writeAssembly(template);
  const runtime = await startRuntime({ assembly: folder });
  try {
    const sqs = new SQSClient(runtime.config);
    const { QueueUrl, QueueArn } = runtime.endpoints.outputs.Farm ?? {};
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    expect(Attributes).toMatchObject({ QueueArn, VisibilityTimeout: '45' });
    const policy = new GetRolePolicyCommand({ RoleName: 'sender', PolicyName: 'send' });
    const { PolicyDocument } = await new IAMClient(runtime.config).send(policy);
    expect(decodeURIComponent(PolicyDocument ?? '')).toContain(QueueArn);
    expect(runtime.output()).toContain('"event":"declared-only","stackName":"Farm","logicalId":"Board"');
    expect(await describeStacks(runtime)).toMatch(
      new RegExp(
        `<StackName>Farm</StackName>.*<OutputValue>${QueueArn}</OutputValue><ExportName>q</ExportName>.*<Value>farm</Value>`,
      ),
    );

    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    await runtime.reset();
    const after = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    expect(after.Attributes?.ApproximateNumberOfMessages).toBe('0');
  } finally {
    await runtime.stop();
  }
});

it('stops the start for what the runtime does not emulate, with everything that is wrong', async () => {
  const Resources = {
    ...template.Resources,
    Pipe: { Type: 'AWS::Pipes::Pipe' },
    Queue: { Type: 'AWS::SQS::Queue', Properties: { Shade: 1 } },
  };
  writeAssembly({ ...template, Resources });

  await expect(startRuntime({ assembly: folder })).rejects.toThrow(
    /ended with 1.*2 problems:.*Farm\/Queue \(AWS::SQS::Queue\) Shade: .*Farm\/Pipe \(AWS::Pipes::Pipe\): /s,
  );
});

it('stops the start for what a service refuses, naming the resource', async () => {
  const Queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: -1 } };
  writeAssembly({ ...template, Resources: { ...template.Resources, Queue } });

  await expect(startRuntime({ assembly: folder })).rejects.toThrow(
    /ended with 1.*Farm\/Queue \(AWS::SQS::Queue\): .*VisibilityTimeout/s,
  );
});
