import { parseArn } from '../kernel/arn.ts';
import type { Caller } from '../kernel/caller.ts';
import type { CallContext, Permission } from '../kernel/service.ts';

/** The condition keys of one request. Names are matched without regard to case, as IAM does. */
export type RequestKeys = (name: string) => string | readonly string[] | undefined;

export interface Surroundings {
  readonly region: string;
  readonly accountId: string;
  now(): number;
  /** Tags of the role or user who calls: `aws:PrincipalTag/...`. */
  principalTag(caller: Caller, key: string): string | undefined;
}

/**
 * Global keys that the runtime knows. Those without a value here never exist on one machine: there is no organization,
 * no VPC and no second factor, and AWS leaves such keys out of a request too
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
 */
const ABSENT = [
  'aws:calledvia',
  'aws:calledviafirst',
  'aws:calledvialast',
  'aws:ec2instancesourcevpc',
  'aws:federatedprovider',
  'aws:multifactorauthage',
  'aws:multifactorauthpresent',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:referer',
  'aws:resourceorgid',
  'aws:resourceorgpaths',
  'aws:sourceidentity',
  'aws:sourceorgid',
  'aws:sourceorgpaths',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:useragent',
  'aws:vpcsourceip',
];

type Source = (context: CallContext, surroundings: Surroundings) => string | undefined;

const SOURCES: Readonly<Record<string, Source>> = {
  'aws:currenttime': (_context, { now }) => new Date(now()).toISOString(),
  'aws:epochtime': (_context, { now }) => String(Math.floor(now() / 1000)),
  // The runtime listens on the loopback interface only, which counts as a secure transport.
  'aws:securetransport': () => 'true',
  'aws:sourceip': ({ caller, sourceIp }) => (caller.kind === 'service' ? undefined : (sourceIp ?? '127.0.0.1')),
  'aws:requestedregion': (_context, { region }) => region,
  'aws:resourceaccount': (_context, { accountId }) => accountId,
  'aws:viaawsservice': () => 'false',
  'aws:principalarn': ({ caller }) => (caller.kind === 'role' ? caller.roleArn : ownArn(caller)),
  'aws:principalaccount': ({ caller }) => (caller.kind === 'service' ? undefined : caller.accountId),
  'aws:principaltype': ({ caller }) =>
    ({ user: 'User', role: 'AssumedRole', service: undefined, federated: 'FederatedUser', deployment: 'Account' })[
      caller.kind
    ],
  'aws:principalisawsservice': ({ caller }) => String(caller.kind === 'service'),
  'aws:principalservicename': ({ caller }) => (caller.kind === 'service' ? caller.arn : undefined),
  'aws:username': ({ caller }) => (caller.kind === 'user' ? caller.userName : undefined),
  'aws:userid': ({ caller }) => (caller.kind === 'role' ? `${caller.roleName}:${caller.sessionName}` : ownArn(caller)),
  'aws:sourcearn': ({ caller }) => (caller.kind === 'service' ? caller.sourceArn : undefined),
  'aws:sourceaccount': ({ caller }) => (caller.kind === 'service' ? caller.accountId : undefined),
};

const FAMILIES = ['aws:principaltag/', 'aws:requesttag/', 'aws:resourcetag/'];

function ownArn(caller: Caller): string | undefined {
  return caller.kind === 'service' ? undefined : caller.arn;
}

/** True for a global key that the runtime can answer or that is rightly absent; other `aws:` keys are refused. */
export function isKnownGlobalKey(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    lower in SOURCES ||
    lower === 'aws:tagkeys' ||
    ABSENT.includes(lower) ||
    FAMILIES.some((family) => lower.startsWith(family))
  );
}

/** The keys of a request: the operation's own before the global ones. */
export function requestKeys(context: CallContext, permission: Permission, surroundings: Surroundings): RequestKeys {
  let own: ReadonlyMap<string, string | readonly string[]> | undefined;
  return (name) => {
    const lower = name.toLowerCase();
    own ??= new Map(Object.entries(permission.context ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
    const given = own.get(lower);
    if (given !== undefined) return given;
    const { caller } = context;
    const ofSession = caller.kind === 'role' ? caller.sessionKeys?.[lower] : undefined;
    if (ofSession !== undefined) return ofSession;
    if (lower.startsWith('aws:principaltag/')) {
      return surroundings.principalTag(caller, name.slice('aws:principaltag/'.length));
    }
    if (lower === 'aws:resourceaccount' && !parseArn(permission.resource)) return undefined;
    return SOURCES[lower]?.(context, surroundings);
  };
}
