import type { Kernel } from '../../kernel/kernel.ts';
import type { SignIn } from './sign-in.ts';
import type { UserPools } from './user-pools.ts';

/** What the operations work on. */
export interface CognitoUsers {
  readonly kernel: Kernel;
  readonly pools: UserPools;
  readonly signIn: SignIn;
}
