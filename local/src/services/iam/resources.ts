import { optionalList, optionalNumber, optionalText, tagList, text } from '../../template/property-values.ts';
import type { ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

interface NamedDocument {
  readonly PolicyName: string;
  readonly PolicyDocument: unknown;
}

async function call<Output>(request: ResourceRequest, operation: string, input: object): Promise<Output> {
  return request.kernel.call<Output>('iam', operation, input, request.caller);
}

/** AWS::IAM::Role with its inline and attached policies. */
const role: ResourceHandler = {
  type: 'AWS::IAM::Role',
  properties: {
    AssumeRolePolicyDocument: 'executed',
    Description: 'executed',
    ManagedPolicyArns: 'executed',
    MaxSessionDuration: 'executed',
    Path: 'executed',
    Policies: [{ PolicyName: 'executed', PolicyDocument: 'executed' }],
    RoleName: 'executed',
    Tags: [{ Key: 'executed', Value: 'executed' }],
  },
  async create(request) {
    const { properties } = request;
    const RoleName = optionalText(properties.RoleName) ?? request.generatedName.slice(0, 64);
    const { Role } = await call<{ Role: { Arn: string; RoleId: string } }>(request, 'CreateRole', {
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify(properties.AssumeRolePolicyDocument),
      Description: optionalText(properties.Description),
      MaxSessionDuration: optionalNumber(properties.MaxSessionDuration),
      Path: optionalText(properties.Path),
      Tags: tagList(properties.Tags),
    });
    for (const PolicyArn of optionalList(properties.ManagedPolicyArns)) {
      await call(request, 'AttachRolePolicy', { RoleName, PolicyArn });
    }
    for (const { PolicyName, PolicyDocument } of optionalList(properties.Policies) as readonly NamedDocument[]) {
      await call(request, 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) });
    }
    return { ref: RoleName, attributes: { Arn: Role.Arn, RoleId: Role.RoleId } };
  },
};

/** AWS::IAM::Policy: an inline policy of one or more roles. */
const inlinePolicy: ResourceHandler = {
  type: 'AWS::IAM::Policy',
  properties: { PolicyDocument: 'executed', PolicyName: 'executed', Roles: 'executed' },
  async create(request) {
    const PolicyName = text(request.properties.PolicyName, 'PolicyName');
    const PolicyDocument = JSON.stringify(request.properties.PolicyDocument);
    for (const RoleName of optionalList(request.properties.Roles)) {
      await call(request, 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument });
    }
    return { ref: request.generatedName, attributes: { Id: request.generatedName } };
  },
};

/** AWS::IAM::ManagedPolicy: a policy with an ARN, attached to roles. */
const managedPolicy: ResourceHandler = {
  type: 'AWS::IAM::ManagedPolicy',
  properties: {
    Description: 'executed',
    ManagedPolicyName: 'executed',
    Path: 'executed',
    PolicyDocument: 'executed',
    Roles: 'executed',
  },
  async create(request) {
    const { properties } = request;
    const { Policy } = await call<{ Policy: { Arn: string; PolicyId: string } }>(request, 'CreatePolicy', {
      PolicyName: optionalText(properties.ManagedPolicyName) ?? request.generatedName,
      Path: optionalText(properties.Path),
      Description: optionalText(properties.Description),
      PolicyDocument: JSON.stringify(properties.PolicyDocument),
    });
    for (const RoleName of optionalList(properties.Roles)) {
      await call(request, 'AttachRolePolicy', { RoleName, PolicyArn: Policy.Arn });
    }
    return { ref: Policy.Arn, attributes: { PolicyArn: Policy.Arn, PolicyId: Policy.PolicyId } };
  },
};

/** CloudFormation resource types of IAM. */
export const iamResources: readonly ResourceHandler[] = [role, inlinePolicy, managedPolicy];
