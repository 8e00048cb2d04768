import type {
  CreatePolicyResponse,
  CreateThingResponse,
  CreateThingTypeResponse,
  ListPolicyVersionsResponse,
  RegisterCACertificateResponse,
} from '@aws-sdk/client-iot';
import { AwsError } from '../../kernel/errors.ts';
import type {
  CreatedResource,
  ExistingResource,
  ResourceHandler,
  ResourceRequest,
} from '../../template/resource-handler.ts';
import { invalidRequest } from './control/errors.ts';
import { thingGroupResources } from './registry/resources.ts';
import { roleAliasResources } from './role-aliases/resources.ts';
import { topicRuleResources } from './rules/resources.ts';

const TAGS = [{ Key: 'executed', Value: 'executed' }] as const;

/** What CloudFormation creates in AWS IoT. */
export const iotResources: readonly ResourceHandler[] = [
  ...topicRuleResources,
  ...thingGroupResources,
  ...roleAliasResources,
  {
    type: 'AWS::IoT::Policy',
    properties: { PolicyDocument: 'executed', PolicyName: 'executed', Tags: TAGS },
    async create(request) {
      const { kernel, caller, properties } = request;
      const policyName = String(properties.PolicyName ?? request.generatedName);
      const document = properties.PolicyDocument;
      const policyDocument = typeof document === 'string' ? document : JSON.stringify(document);
      const input = { policyName, policyDocument, tags: properties.Tags };
      const { policyArn } = await kernel.call<CreatePolicyResponse>('iot', 'CreatePolicy', input, caller);
      return { ref: policyName, attributes: { Arn: policyArn, Id: policyName } };
    },
    update: { properties: ['PolicyDocument'], by: updatePolicy },
    delete: deletePolicy,
  },
  {
    type: 'AWS::IoT::PolicyPrincipalAttachment',
    properties: { PolicyName: 'executed', Principal: 'executed' },
    async create({ kernel, caller, generatedName, properties }) {
      const input = { policyName: properties.PolicyName, target: properties.Principal };
      await kernel.call('iot', 'AttachPolicy', input, caller);
      return { ref: generatedName, attributes: { Id: generatedName } };
    },
    update: { properties: 'all', by: 'replace' },
    delete: ({ kernel, caller, properties }) => {
      const input = { policyName: properties.PolicyName, target: properties.Principal };
      return kernel.call('iot', 'DetachPolicy', input, caller);
    },
  },
  {
    type: 'AWS::IoT::Thing',
    properties: { AttributePayload: { Attributes: 'executed' }, ThingName: 'executed' },
    async create(request) {
      const { kernel, caller, properties } = request;
      const thingName = String(properties.ThingName ?? request.generatedName);
      const { Attributes: attributes } = Object(properties.AttributePayload) as { Attributes?: unknown };
      const input = { thingName, attributePayload: { attributes } };
      const { thingArn, thingId } = await kernel.call<CreateThingResponse>('iot', 'CreateThing', input, caller);
      return { ref: thingName, attributes: { Arn: thingArn, Id: thingId } };
    },
    update: {
      properties: ['AttributePayload'],
      async by({ kernel, caller, properties }, before) {
        const { Attributes: attributes = {} } = Object(properties.AttributePayload) as { Attributes?: unknown };
        const input = { thingName: before.ref, attributePayload: { attributes, merge: false } };
        await kernel.call('iot', 'UpdateThing', input, caller);
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: thingName }) => kernel.call('iot', 'DeleteThing', { thingName }, caller),
  },
  {
    type: 'AWS::IoT::ThingPrincipalAttachment',
    properties: { Principal: 'executed', ThingName: 'executed', ThingPrincipalType: 'executed' },
    async create({ kernel, caller, generatedName, properties }) {
      const { ThingName: thingName, Principal: principal, ThingPrincipalType: thingPrincipalType } = properties;
      await kernel.call('iot', 'AttachThingPrincipal', { thingName, principal, thingPrincipalType }, caller);
      return { ref: generatedName, attributes: { Id: generatedName } };
    },
    update: { properties: 'all', by: 'replace' },
    delete: ({ kernel, caller, properties }) => {
      const { ThingName: thingName, Principal: principal } = properties;
      return kernel.call('iot', 'DetachThingPrincipal', { thingName, principal }, caller);
    },
  },
  {
    type: 'AWS::IoT::ThingType',
    properties: {
      DeprecateThingType: 'executed',
      Tags: TAGS,
      ThingTypeName: 'executed',
      ThingTypeProperties: { SearchableAttributes: 'executed', ThingTypeDescription: 'executed' },
    },
    create: createThingType,
    update: {
      properties: ['DeprecateThingType'],
      async by({ kernel, caller, properties }, before) {
        const undoDeprecate = !isTrue(properties.DeprecateThingType);
        await kernel.call('iot', 'DeprecateThingType', { thingTypeName: before.ref, undoDeprecate }, caller);
        return before;
      },
    },
    async delete({ kernel, caller }, { ref: thingTypeName }) {
      await kernel.call('iot', 'DeprecateThingType', { thingTypeName }, caller);
      await kernel.call('iot', 'DeleteThingType', { thingTypeName }, caller);
    },
  },
  {
    type: 'AWS::IoT::CACertificate',
    properties: {
      AutoRegistrationStatus: 'executed',
      CACertificatePem: 'executed',
      CertificateMode: 'executed',
      Status: 'executed',
      Tags: TAGS,
      VerificationCertificatePem: 'executed',
    },
    create: createCaCertificate,
    update: {
      properties: ['AutoRegistrationStatus', 'Status'],
      async by({ kernel, caller, properties }, before) {
        const { AutoRegistrationStatus = 'DISABLE', Status: newStatus } = properties;
        const input = { certificateId: before.ref, newStatus, newAutoRegistrationStatus: AutoRegistrationStatus };
        await kernel.call('iot', 'UpdateCACertificate', input, caller);
        return before;
      },
    },
    async delete({ kernel, caller }, { ref: certificateId }) {
      await kernel.call('iot', 'UpdateCACertificate', { certificateId, newStatus: 'INACTIVE' }, caller);
      await kernel.call('iot', 'DeleteCACertificate', { certificateId }, caller);
    },
  },
  {
    type: 'AWS::IoT::Logging',
    properties: { AccountId: 'executed', DefaultLogLevel: 'declared', RoleArn: 'declared' },
    create: createLogging,
    update: {
      properties: ['DefaultLogLevel', 'RoleArn'],
      async by(request, before) {
        await setLogging(request);
        return before;
      },
    },
    delete: ({ kernel, caller, properties }) => {
      const input = { roleArn: properties.RoleArn, defaultLogLevel: 'DISABLED', disableAllLogs: true };
      return kernel.call('iot', 'SetV2LoggingOptions', input, caller);
    },
  },
];

/** A new version becomes the default one; of five the oldest has to go before. */
async function updatePolicy({ kernel, caller, properties }: ResourceRequest, before: ExistingResource) {
  const policyName = before.ref;
  const document = properties.PolicyDocument;
  const policyDocument = typeof document === 'string' ? document : JSON.stringify(document);
  const others = await otherVersions(kernel, caller, policyName);
  const oldest = others.length === 4 ? others[0] : undefined;
  if (oldest) await kernel.call('iot', 'DeletePolicyVersion', { policyName, policyVersionId: oldest }, caller);
  await kernel.call('iot', 'CreatePolicyVersion', { policyName, policyDocument, setAsDefault: true }, caller);
  return before;
}

async function deletePolicy({ kernel, caller }: ResourceRequest, { ref: policyName }: CreatedResource): Promise<void> {
  for (const policyVersionId of await otherVersions(kernel, caller, policyName)) {
    await kernel.call('iot', 'DeletePolicyVersion', { policyName, policyVersionId }, caller);
  }
  await kernel.call('iot', 'DeletePolicy', { policyName }, caller);
}

/** The versions that are not the default one, oldest first. */
async function otherVersions(
  kernel: ResourceRequest['kernel'],
  caller: ResourceRequest['caller'],
  policyName: string,
): Promise<readonly string[]> {
  const { policyVersions = [] } = await kernel.call<ListPolicyVersionsResponse>(
    'iot',
    'ListPolicyVersions',
    { policyName },
    caller,
  );
  const others = policyVersions.filter(({ isDefaultVersion }) => !isDefaultVersion);
  return others.map(({ versionId = '' }) => versionId).sort((a, b) => Number(a) - Number(b));
}

async function createThingType(request: ResourceRequest): Promise<CreatedResource> {
  const { kernel, caller, properties } = request;
  const thingTypeName = String(properties.ThingTypeName ?? request.generatedName);
  const { SearchableAttributes: searchableAttributes, ThingTypeDescription: thingTypeDescription } = Object(
    properties.ThingTypeProperties,
  ) as { SearchableAttributes?: unknown; ThingTypeDescription?: unknown };
  const thingTypeProperties = { searchableAttributes, thingTypeDescription };
  const input = { thingTypeName, thingTypeProperties, tags: properties.Tags };
  const created = await kernel.call<CreateThingTypeResponse>('iot', 'CreateThingType', input, caller);
  if (isTrue(properties.DeprecateThingType)) {
    await kernel.call('iot', 'DeprecateThingType', { thingTypeName }, caller);
  }
  return { ref: thingTypeName, attributes: { Arn: created.thingTypeArn, Id: created.thingTypeId } };
}

async function createCaCertificate({ kernel, caller, properties }: ResourceRequest): Promise<CreatedResource> {
  const input = {
    caCertificate: properties.CACertificatePem,
    verificationCertificate: properties.VerificationCertificatePem,
    certificateMode: properties.CertificateMode,
    tags: properties.Tags,
    setAsActive: isWord(properties.Status, 'Status', 'ACTIVE', 'INACTIVE'),
    allowAutoRegistration: isWord(
      properties.AutoRegistrationStatus ?? 'DISABLE',
      'AutoRegistrationStatus',
      'ENABLE',
      'DISABLE',
    ),
  };
  const { certificateArn, certificateId } = await kernel.call<RegisterCACertificateResponse>(
    'iot',
    'RegisterCACertificate',
    input,
    caller,
  );
  return { ref: String(certificateId), attributes: { Arn: certificateArn, Id: certificateId } };
}

/** The logging options are one for the account: a second resource fails, as on AWS. */
async function createLogging({ kernel, caller, properties }: ResourceRequest): Promise<CreatedResource> {
  const accountId = String(properties.AccountId);
  if (accountId !== kernel.accountId) {
    throw invalidRequest(`AccountId is ${accountId}; it has to be this account, ${kernel.accountId}`);
  }
  if (await isConfigured({ kernel, caller })) {
    throw new AwsError('AlreadyExists', 'AWS::IoT::Logging exists already; an account and region has one at most');
  }
  await setLogging({ kernel, caller, properties });
  return { ref: accountId, attributes: {} };
}

async function setLogging({
  kernel,
  caller,
  properties,
}: Pick<ResourceRequest, 'kernel' | 'caller' | 'properties'>): Promise<void> {
  const level = String(properties.DefaultLogLevel);
  const input = { roleArn: properties.RoleArn, defaultLogLevel: level, disableAllLogs: level === 'DISABLED' };
  await kernel.call('iot', 'SetV2LoggingOptions', input, caller);
}

async function isConfigured({ kernel, caller }: Pick<ResourceRequest, 'kernel' | 'caller'>): Promise<boolean> {
  try {
    await kernel.call('iot', 'GetV2LoggingOptions', {}, caller);
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'NotConfiguredException') return false;
    throw error;
  }
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function isWord(value: unknown, name: string, yes: string, no: string): boolean {
  if (value === yes || value === no) return value === yes;
  throw invalidRequest(`${name} is ${JSON.stringify(value)}; it has to be ${yes} or ${no}`);
}
