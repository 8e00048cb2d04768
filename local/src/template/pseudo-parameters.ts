import { NO_VALUE } from './intrinsics.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html; undefined for a name that is none. */
export function pseudoParameter(
  name: string,
  stack: { readonly region: string; readonly accountId: string; readonly name: string; readonly arn: string },
): unknown {
  switch (name) {
    case 'AWS::AccountId':
      return stack.accountId;
    case 'AWS::NoValue':
      return NO_VALUE;
    case 'AWS::NotificationARNs':
      return [];
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::Region':
      return stack.region;
    case 'AWS::StackId':
      return stack.arn;
    case 'AWS::StackName':
      return stack.name;
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    default:
      return undefined;
  }
}
