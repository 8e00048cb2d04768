import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import type { Members } from '../user-pools.ts';

/** An operation for administrators, on one pool: `cognito-idp:<name>` on the pool's ARN. */
export function poolOperation<Input extends { readonly UserPoolId?: string }>(
  { pools }: CognitoUsers,
  name: string,
  run: (members: Members, input: Input) => object | Promise<object>,
): Readonly<Record<string, AnyOperation>> {
  return {
    [name]: operation<Input, object>({
      permissions: ({ UserPoolId }) => pools.permission(name, UserPoolId),
      run: (input) => run(pools.get(input.UserPoolId), input),
    }),
  };
}
