import { operation } from '../kernel/define.ts';
import { notEmulated } from '../kernel/errors.ts';
import type { AnyOperation } from '../kernel/service.ts';

/**
 * An operation that AWS does not have: one service of the runtime asks it of another. It needs no permission, and for
 * every caller that is not a service it does not exist.
 */
export function internalOperation<Input, Output>(
  service: string,
  name: string,
  run: (input: Input) => Output | Promise<Output>,
): AnyOperation {
  return operation<Input, Output>({
    permissions(_input, { caller }) {
      if (caller.kind !== 'service') throw notEmulated(service, name);
      return [];
    },
    run,
  });
}
