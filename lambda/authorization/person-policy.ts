/** The IoT policies of a person: what their grants say, for their apps' MQTT connections. */
import { type GrantRow, reaches, targetOfKey } from '@thingstead/contracts/grants';

type Granted = Pick<GrantRow, 'target' | 'role'>;

/** Whose policies they are, and where. */
export interface PolicyContext {
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  /** Of the identity pool. */
  readonly identityId: string;
}

/** "Maximum policy document size", white space not counted: https://docs.aws.amazon.com/general/latest/gr/iot-core.html */
const MAX_POLICY_CHARACTERS = 2048;

/** "Maximum number of policies that can be attached to a certificate or an Amazon Cognito identity", same page. */
export const MAX_POLICIES = 10;

/** As long as any: what fits with these fits everywhere, so that the number of policies is the same in every region. */
const LONGEST: PolicyContext = {
  partition: 'aws-us-gov',
  identityId: 'ap-southeast-1:00000000-0000-0000-0000-000000000000',
};

/**
 * The documents of policies that allow what these grants say and nothing else: the client ids of this identity; of each
 * thing, or of the things of a site by their prefix with its hyphen, the sensors and the classic shadow to hear, the shadow to
 * ask for, and from `controller` on to change. Each is at most 2 048 characters; there may be more than `MAX_POLICIES`. Give
 * it grants that are in force. The role of people narrows it further; AWS IoT asks both.
 */
export function policyDocumentsOf(grants: readonly Granted[], context: PolicyContext): readonly string[] {
  return pack(grants).map((group, index) => render(group, index === 0, context));
}

/** How many policies these grants need. */
export function countOfPolicies(grants: readonly Granted[]): number {
  return pack(grants).length;
}

/** Whether as many policies can be on one identity: a grant beyond that would not reach MQTT. */
export function fitsPolicies(grants: readonly Granted[]): boolean {
  return countOfPolicies(grants) <= MAX_POLICIES;
}

/** Grants by document, in the order of their targets: the same grants are always the same documents. */
function pack(grants: readonly Granted[]): readonly (readonly Granted[])[] {
  const groups: Granted[][] = [];
  const sorted = [...grants].sort((one, other) => (one.target < other.target ? -1 : 1));
  for (const grant of sorted) {
    const last = groups.at(-1);
    const fits = last && render([...last, grant], groups.length === 1, LONGEST).length <= MAX_POLICY_CHARACTERS;
    if (fits) last.push(grant);
    else groups.push([grant]);
  }
  return groups;
}

function render(grants: readonly Granted[], first: boolean, { partition, identityId }: PolicyContext): string {
  // A policy is one of this account and region, whatever its ARNs say; with their names, fewer things would fit.
  const arn = (kind: string, name: string): string => `arn:${partition}:iot:*:*:${kind}/${name}`;
  const received: string[] = [];
  const subscribed: string[] = [];
  const published: string[] = [];
  for (const { target, role } of grants) {
    const things = thingsOf(target);
    const shadow = `$aws/things/${things}/shadow`;
    for (const topics of [`device/${things}/sensor/*`, `${shadow}/*`]) {
      received.push(arn('topic', topics));
      subscribed.push(arn('topicfilter', topics));
    }
    published.push(arn('topic', `${shadow}/get`));
    if (reaches(role, 'controller')) published.push(arn('topic', `${shadow}/update`));
  }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      ...(first ? [allow('iot:Connect', [arn('client', `${identityId}-*`)])] : []),
      allow('iot:Receive', received),
      allow('iot:Subscribe', subscribed),
      allow('iot:Publish', published),
    ],
  });
}

function allow(Action: string, Resource: readonly string[]): object {
  return { Effect: 'Allow', Action, Resource };
}

/** A site's things, those that come later too: `macdonald-*`. No other site's name begins so, since names have no hyphen. */
function thingsOf(target: string): string {
  const { kind, name } = targetOfKey(target);
  return kind === 'site' ? `${name}-*` : name;
}
