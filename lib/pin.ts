import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Keeps the logical id whatever becomes of the construct's path. */
export function pin(construct: IConstruct, logicalId: string): void {
  // The default child of these constructs is the CloudFormation resource itself.
  (construct.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
