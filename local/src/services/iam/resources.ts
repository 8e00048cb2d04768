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
    await givePolicies(request, RoleName);
    return { ref: RoleName, attributes: { Arn: Role.Arn, RoleId: Role.RoleId } };
  },
  update: {
    properties: ['AssumeRolePolicyDocument', 'ManagedPolicyArns', 'Policies'],
    async by(request, before) {
      const RoleName = before.ref;
      const { AssumeRolePolicyDocument } = request.properties;
      await call(request, 'UpdateAssumeRolePolicy', {
        RoleName,
        PolicyDocument: JSON.stringify(AssumeRolePolicyDocument),
      });
      await takePolicies({ ...request, properties: before.properties }, RoleName);
      await givePolicies(request, RoleName);
      return before;
    },
  },
  async delete(request, { ref: RoleName }) {
    await takePolicies(request, RoleName);
    await call(request, 'DeleteRole', { RoleName });
  },
};

/** The policies that the role's own properties give it; other resources may give it more. */
async function givePolicies(request: ResourceRequest, RoleName: string): Promise<void> {
  const { properties } = request;
  for (const PolicyArn of optionalList(properties.ManagedPolicyArns)) {
    await call(request, 'AttachRolePolicy', { RoleName, PolicyArn });
  }
  for (const { PolicyName, PolicyDocument } of optionalList(properties.Policies) as readonly NamedDocument[]) {
    await call(request, 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) });
  }
}

async function takePolicies(request: ResourceRequest, RoleName: string): Promise<void> {
  const { properties } = request;
  for (const PolicyArn of optionalList(properties.ManagedPolicyArns)) {
    await call(request, 'DetachRolePolicy', { RoleName, PolicyArn });
  }
  for (const { PolicyName } of optionalList(properties.Policies) as readonly NamedDocument[]) {
    await call(request, 'DeleteRolePolicy', { RoleName, PolicyName });
  }
}

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
  update: { properties: 'all', by: 'replace' },
  async delete(request) {
    const { PolicyName, Roles } = request.properties;
    for (const RoleName of optionalList(Roles)) await call(request, 'DeleteRolePolicy', { RoleName, PolicyName });
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
  update: { properties: ['Description', 'PolicyDocument', 'Roles'], by: 'replace' },
  async delete(request, { ref: PolicyArn }) {
    for (const RoleName of optionalList(request.properties.Roles)) {
      await call(request, 'DetachRolePolicy', { RoleName, PolicyArn });
    }
    await call(request, 'DeletePolicy', { PolicyArn });
  },
};

/** CloudFormation resource types of IAM. */
export const iamResources: readonly ResourceHandler[] = [role, inlinePolicy, managedPolicy];
