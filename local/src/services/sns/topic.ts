import { checkResourcePolicy } from '../../iam/check-resource-policy.ts';
import type { PolicyDocument } from '../../iam/policy-document.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { CallContext, Permission } from '../../kernel/service.ts';
import { useKey } from '../use-key.ts';
import { effectivePolicy, type GivenPolicy, readTopicPolicy, shownPolicy } from './delivery-policy.ts';
import { invalidParameter } from './errors.ts';
import type { Subscription } from './subscription.ts';

/** Attributes of a topic that can be set. Those that only say how messages are kept have no effect here. */
const ATTRIBUTES = new Set([
  'DeliveryPolicy',
  'DisplayName',
  'KmsMasterKeyId',
  'Policy',
  'SignatureVersion',
  'TracingConfig',
]);

/**
 * Who may publish to a topic without a policy of its own: beside principals with a permission of their own, the
 * services that act for the topic's owner. AWS writes this as a condition on AWS:SourceOwner.
 */
const DEFAULT_POLICY: PolicyDocument = {
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Principal: { Service: ['cloudwatch.amazonaws.com', 's3.amazonaws.com'] },
    Action: 'sns:Publish',
    Resource: '*',
  },
};

export class Topic {
  readonly name: string;
  readonly arn: string;
  readonly attributes = new Map<string, string>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly tags = new Map<string, string>();
  /** How many subscriptions were ended. */
  deletedSubscriptions = 0;
  #policy: PolicyDocument | undefined;
  #deliveryPolicy: GivenPolicy | undefined;

  constructor(name: string, arn: string) {
    this.name = name;
    this.arn = arn;
  }

  /** @throws AwsError InvalidParameter for an attribute that is unknown or has no valid value */
  setAttribute(name: string, value: string): void {
    if (!ATTRIBUTES.has(name)) {
      throw invalidParameter(`AttributeName ${name}; the local runtime knows ${[...ATTRIBUTES].join(', ')}`);
    }
    if (name === 'Policy') this.#policy = value === '' ? undefined : parsePolicy(value);
    if (name === 'DeliveryPolicy') this.#deliveryPolicy = value === '' ? undefined : readTopicPolicy(value);
    if (name === 'SignatureVersion' && !['', '1', '2'].includes(value)) {
      throw invalidParameter(`SignatureVersion: ${value}; it is 1 or 2`);
    }
    if (value === '') this.attributes.delete(name);
    else this.attributes.set(name, value);
  }

  get deliveryPolicy(): GivenPolicy | undefined {
    return this.#deliveryPolicy;
  }

  /** As GetTopicAttributes shows it. */
  get effectiveDeliveryPolicy(): string {
    const { healthyRetryPolicy, requestPolicy } = JSON.parse(
      shownPolicy(effectivePolicy(this.#deliveryPolicy, undefined)),
    );
    return JSON.stringify({
      http: {
        defaultHealthyRetryPolicy: healthyRetryPolicy,
        disableSubscriptionOverrides: this.#deliveryPolicy?.disableSubscriptionOverrides ?? false,
        defaultRequestPolicy: requestPolicy,
      },
    });
  }

  permission(action: string): Permission {
    return { action: `sns:${action}`, resource: this.arn, resourcePolicy: this.#policy ?? DEFAULT_POLICY };
  }

  /**
   * What who publishes to a topic with a key of KMS has to be allowed. Services cannot use `alias/aws/sns`, whose policy nobody
   * can change (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
   *
   * @throws AwsError KMSAccessDenied, KMSDisabled, KMSInvalidState, KMSInvalidKeyUsage, KMSNotFound
   */
  async requireKey(kernel: Kernel, context: CallContext): Promise<void> {
    const keyId = this.attributes.get('KmsMasterKeyId');
    if (keyId === undefined) return;
    const encryptionContext = { 'aws:sns:topicArn': this.arn };
    const errorCode = (kind: string) => `KMS${kind}`;
    const key = { keyId, resourceArn: this.arn, service: 'sns', encryptionContext, errorCode };
    await useKey(kernel, key, ['GenerateDataKey', 'Decrypt'], context);
  }

  /** The policy as GetTopicAttributes shows it. */
  policyText(accountId: string): string {
    return this.attributes.get('Policy') ?? defaultPolicyText(this.arn, accountId);
  }
}

function parsePolicy(text: string): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidParameter('Policy is not JSON');
  }
  if (typeof value !== 'object' || value === null || !('Statement' in value)) {
    throw invalidParameter('Policy has no Statement');
  }
  const document = value as PolicyDocument;
  checkResourcePolicy(document, (detail) => invalidParameter(`Policy: ${detail}`));
  return document;
}

function defaultPolicyText(arn: string, accountId: string): string {
  const actions = ['GetTopicAttributes', 'SetTopicAttributes', 'AddPermission', 'RemovePermission', 'DeleteTopic'];
  const more = ['Subscribe', 'ListSubscriptionsByTopic', 'Publish'];
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [...actions, ...more].map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
      },
    ],
  });
}
