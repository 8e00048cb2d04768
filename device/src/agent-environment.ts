/** What the agent has from where it is installed: its version, its folder, its clock. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AgentConfig } from './config.ts';

/** Where the agent keeps what outlives it. */
export function outboxFolder({ outbox, thing }: AgentConfig): string {
  return path.join(outbox.directory ?? 'state', thing);
}

/** For tests with the local runtime's virtual time. */
export function clockOffset(): number {
  return Number(process.env.THINGSTEAD_CLOCK_OFFSET_MS ?? 0);
}

/** Of this package. */
export function version(): string {
  const { version: text }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return text;
}
