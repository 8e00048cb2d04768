import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts a finding of cdk-nag on one construct, with the reason. `finding` is the rule (`AwsSolutions-S1`), or one of
 * several findings of a rule (`AwsSolutions-IAM5[Resource::*]`).
 */
export function acknowledge(construct: IConstruct, finding: `AwsSolutions-${string}`, reason: string): void {
  Validations.of(construct).acknowledge({ id: finding, reason });
}
