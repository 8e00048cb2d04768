import type { Policy, Role as WireRole } from '@aws-sdk/client-iam';
import {
  compiledPolicy,
  type IamStore,
  type ManagedPolicy,
  type Role,
  type Policy as RolePolicy,
} from '../../iam/iam-store.ts';
import type { PolicyDocument } from '../../iam/policy-document.ts';
import { AwsError, invalid } from '../../kernel/errors.ts';
import type { Permission } from '../../kernel/service.ts';

export interface IamContext {
  readonly store: IamStore;
  /** Virtual time, epoch milliseconds. */
  now(): number;
}

/** The permission for an action on a role, also when there is no such role yet. */
export function onRole(store: IamStore, action: string, name: string | undefined, path = '/'): readonly Permission[] {
  const resource = store.roles.get(name ?? '')?.arn ?? `arn:aws:iam::${store.accountId}:role${path}${name}`;
  return [{ action: `iam:${action}`, resource }];
}

/** A required text member. Throws ValidationError. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw invalid(`${name} is missing`, 'ValidationError');
  return value;
}

/** Reads a policy document from JSON text. Throws MalformedPolicyDocument. */
export function parseDocument(text: string | undefined, name: string): PolicyDocument {
  try {
    return JSON.parse(required(text, name)) as PolicyDocument;
  } catch (error) {
    if (error instanceof AwsError) throw error;
    throw invalid(`${name} is not JSON: ${(error as Error).message}`, 'MalformedPolicyDocument');
  }
}

/** Characters without white space (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). */
const LARGEST_TRUST = 2048;

/** Reads the trust policy of a role. Throws MalformedPolicyDocument, LimitExceeded. */
export function parseTrust(text: string | undefined, name: string): RolePolicy {
  const policy = compiledPolicy(parseDocument(text, name), 'trust');
  if (JSON.stringify(policy.document).length <= LARGEST_TRUST) return policy;
  throw new AwsError('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${LARGEST_TRUST}`, 409);
}

/** Documents travel URL-encoded in answers (RFC 3986). */
export function encodeDocument(document: PolicyDocument): string {
  return encodeURIComponent(JSON.stringify(document));
}

/** The error of members that the runtime does not act on. */
export function refuseMembers(operation: string, input: object, names: readonly string[]): void {
  const given = names.find((name) => (input as Record<string, unknown>)[name] !== undefined);
  if (given) throw new AwsError('NotEmulated', `The local runtime does not emulate ${given} of iam:${operation}.`, 501);
}

/** A page of a list in the order of names. Throws ValidationError for a marker that is none. */
export function page<T>(
  all: readonly T[],
  { Marker, MaxItems = 100 }: { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined },
): { readonly items: T[]; readonly rest: { IsTruncated: boolean; Marker?: string } } {
  const start = Marker === undefined ? 0 : Number(Marker);
  if (!Number.isInteger(start) || start < 0) throw invalid('Marker is not from an earlier answer', 'ValidationError');
  const end = start + MaxItems;
  const truncated = end < all.length;
  return {
    items: all.slice(start, end),
    rest: truncated ? { IsTruncated: true, Marker: String(end) } : { IsTruncated: false },
  };
}

/** A role as the API tells of it. */
export function describeRole(role: Role): WireRole {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodeDocument(role.trust.document),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    Tags: [...role.tags].map(([Key, Value]) => ({ Key, Value })),
  };
}

/** A managed policy as the API tells of it. */
export function describePolicy(store: IamStore, policy: ManagedPolicy): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: 'v1',
    AttachmentCount: [...store.roles.values()].filter(({ attached }) => attached.has(policy.arn)).length,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.createdAt),
  };
}
