import { queryProtocol } from '../../http/protocols/index.ts';
import { operation } from '../../kernel/define.ts';
import { invalid } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { AnyOperation, Service } from '../../kernel/service.ts';
import type { Stack, StackResource, Stacks } from '../../template/stacks.ts';

interface StackInput {
  readonly StackName?: string;
  readonly LogicalResourceId?: string;
  readonly PhysicalResourceId?: string;
  readonly NextToken?: string;
}

const CREATED = 'CREATE_COMPLETE';

/** AWS CloudFormation, reading only: what the assembly deployed, told as on AWS, so that tools find outputs the same way. */
export function createCloudformationService(kernel: Kernel, stacks: Stacks): Service {
  const on = (action: string, name: string | undefined) => [
    { action: `cloudformation:${action}`, resource: arnFor(kernel, stacks, name) },
  ];
  const read = (action: string, run: (input: StackInput) => object): AnyOperation =>
    operation<StackInput, object>({ permissions: ({ StackName }) => on(action, StackName), run });
  return {
    name: 'cloudformation',
    signingNames: ['cloudformation'],
    state: stacks,
    protocols: [
      queryProtocol({ apiVersion: '2010-05-15', namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/' }),
    ],
    operations: {
      DescribeStacks: read('DescribeStacks', ({ StackName }) => ({
        Stacks: (StackName === undefined ? stacks.all : [existing(stacks, StackName)]).map(describeStack),
      })),
      ListStacks: read('ListStacks', () => ({
        StackSummaries: stacks.all.map((stack) => ({
          StackId: stack.arn,
          StackName: stack.name,
          TemplateDescription: stack.description,
          CreationTime: new Date(stack.createdAt),
          StackStatus: CREATED,
        })),
      })),
      DescribeStackResources: read('DescribeStackResources', (input) => {
        const stack = stackOf(stacks, input);
        const wanted = input.LogicalResourceId;
        const resources = stack.resources.filter(({ logicalId }) => wanted === undefined || logicalId === wanted);
        if (wanted !== undefined && resources.length === 0) {
          throw invalid(`Resource ${wanted} does not exist for stack ${stack.name}`, 'ValidationError');
        }
        return {
          StackResources: resources.map((resource) => ({
            StackName: stack.name,
            StackId: stack.arn,
            ...describeResource(resource),
            Timestamp: new Date(resource.createdAt),
          })),
        };
      }),
      ListStackResources: read('ListStackResources', ({ StackName }) => ({
        StackResourceSummaries: existing(stacks, StackName).resources.map((resource) => ({
          ...describeResource(resource),
          LastUpdatedTimestamp: new Date(resource.createdAt),
        })),
      })),
    },
  };
}

function arnFor(kernel: Kernel, stacks: Stacks, name: string | undefined): string {
  if (name === undefined) return '*';
  return stacks.find(name)?.arn ?? kernel.arn('cloudformation', `stack/${name}/*`);
}

function stackOf(stacks: Stacks, { StackName, PhysicalResourceId }: StackInput): Stack {
  if (StackName !== undefined || PhysicalResourceId === undefined) return existing(stacks, StackName);
  const found = stacks.all.find(({ resources }) => resources.some((each) => each.physicalId === PhysicalResourceId));
  if (!found) throw invalid(`Stack for ${PhysicalResourceId} does not exist`, 'ValidationError');
  return found;
}

function existing(stacks: Stacks, name: string | undefined): Stack {
  if (!name) throw invalid('StackName is missing', 'ValidationError');
  const found = stacks.find(name);
  if (!found) throw invalid(`Stack with id ${name} does not exist`, 'ValidationError');
  return found;
}

function describeStack(stack: Stack): object {
  return {
    StackId: stack.arn,
    StackName: stack.name,
    Description: stack.description,
    Parameters: Object.entries(stack.parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    CreationTime: new Date(stack.createdAt),
    StackStatus: CREATED,
    DisableRollback: false,
    NotificationARNs: [],
    Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
      ExportName: exportName,
    })),
    Tags: Object.entries(stack.tags).map(([Key, Value]) => ({ Key, Value })),
  };
}

function describeResource(resource: StackResource): object {
  return {
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.physicalId,
    ResourceType: resource.type,
    ResourceStatus: CREATED,
  };
}
