import type { Kernel } from '../kernel/kernel.ts';
import type { Plan } from './plan.ts';
import type { Stacks } from './stacks.ts';

/** Creates what a plan holds. */
export async function deploy(_plan: Plan, _kernel: Kernel, _stacks: Stacks): Promise<void> {}
