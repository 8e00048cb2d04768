import { countExpiring } from './count.ts';
import type { Ports } from './ports.ts';

/** The handler of the daily schedule. What it throws, EventBridge and Lambda try again. */
export function createHandler({ failed, ...ports }: Ports & { readonly failed: (error: unknown) => void }) {
  return async (): Promise<void> => {
    try {
      await countExpiring(ports);
    } catch (error) {
      failed(error);
      throw error;
    }
  };
}
