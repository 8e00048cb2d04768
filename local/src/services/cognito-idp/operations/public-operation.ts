import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';

/**
 * An operation for apps: it needs no AWS credentials, and "Amazon Cognito doesn't evaluate IAM policies in requests for this
 * API operation". A password, a code, a token or a client secret is what decides.
 */
export function publicOperation<Input>(run: (input: Input) => object): AnyOperation {
  return operation<Input, object>({ permissions: () => [], run });
}
