import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** Resolves when the process has ended; the kernel tells only its parent. One that its parent has not asked about has ended too. */
export async function untilEnded(pid: string): Promise<void> {
  while (runs(pid)) await turn();
}

function runs(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
