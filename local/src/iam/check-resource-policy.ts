import { AwsError } from '../kernel/errors.ts';
import { compilePolicy } from './compile-policy.ts';
import type { PolicyDocument } from './policy-document.ts';

/**
 * Says what is wrong with the policy of a resource when it is set, as AWS does, not when it is first asked. `malformed` makes
 * the error of the service.
 *
 * @throws AwsError that of `malformed`; NotEmulated for a condition key that the runtime cannot answer
 */
export function checkResourcePolicy(document: PolicyDocument, malformed: (detail: string) => AwsError): void {
  try {
    compilePolicy(document, 'resource');
  } catch (error) {
    if (error instanceof AwsError && error.code === 'MalformedPolicyDocument') throw malformed(error.message);
    throw error;
  }
}
