import { setTimeout as wait } from 'node:timers/promises';
import { nodeFirmwareFileSystem as fs } from '../firmware/node-firmware-file-system.ts';
import type { ServiceManager } from '../service-manager.ts';
import { BootRecord, isPending } from './boot-record.ts';
import { type Child, startChild } from './child.ts';
import { nextStart, noteTrialEnd } from './next-start.ts';

export interface LaunchOptions {
  /** Of the slots. */
  readonly directory: string;
  /** The folder of the version that came with the launcher. */
  readonly factory: string;
  /** Of the version. */
  readonly args: readonly string[];
  readonly silenceSeconds: number;
  /** Before the second start; it doubles with each. */
  readonly pauseSeconds: number;
  readonly environment: NodeJS.ProcessEnv;
  /** Watches the service from the last word of a version on, and would end the launcher between two of them. */
  readonly manager: ServiceManager;
  readonly log: (text: string) => void;
}

/** Wrong use and bad configuration, as in sysexits.h: no start repairs that, and another version of the agent need not be tried. */
const NO_RESTART: readonly (number | null)[] = [64, 78];
const MAX_PAUSE_MS = 300_000;
/** Who has run so long has started well. */
const STABLE_MS = 60_000;
/** After so many failures in a row the version that came with the launcher has its turn, every second time. */
const MANY_FAILURES = 4;

/**
 * Starts the version that is to run, again and again, until it is asked to stop. There is always one: a slot on trial has its counted
 * boots, then the good one comes back; and where that does not start, the version that came with the launcher.
 *
 * @returns the exit code.
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { directory, args, manager, log } = options;
  const record = new BootRecord(fs, directory);
  const stopping = new AbortController();
  let child: Child | undefined;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (!stopping.signal.aborted) child?.stop(name);
      stopping.abort();
    });
  }
  process.on('SIGUSR1', () => child?.signal('SIGUSR1'));
  for (let failures = 0; ; ) {
    const fallBack = failures >= MANY_FAILURES && failures % 2 === 0;
    const { slot, program, deadlineSeconds } = nextStart(fs, options, fallBack, log);
    const onTrial = deadlineSeconds !== undefined;
    log(`starts ${slot}${onTrial ? ', on trial' : ''}`);
    sayAlive();
    child = startChild({
      program,
      args,
      environment: { ...options.environment, THINGSTEAD_SLOT: slot },
      silenceMs: options.silenceSeconds * 1000,
      deadlineMs: onTrial ? deadlineSeconds * 1000 : undefined,
      mayStay: () => isCertain(() => record.good() === slot),
    });
    const { code, failure, reason, livedMs } = await child.ended;
    if (stopping.signal.aborted) return code ?? 0;
    log(`${slot} ${reason}`);
    if (onTrial && !isCertain(() => record.good() === slot)) {
      noteTrialEnd(fs, directory, slot, { failure, reason });
      continue;
    }
    if (NO_RESTART.includes(code)) return code ?? 1;
    // A version that has ended for another one has not failed.
    const isSwitch = isCertain(() => isPending(record.trial(), record.good()));
    failures = livedMs >= STABLE_MS || isSwitch ? 0 : failures + 1;
    if (isSwitch) continue;
    const pauseMs = Math.min(MAX_PAUSE_MS, options.pauseSeconds * 1000 * 2 ** Math.min(Math.max(0, failures - 1), 20));
    await rest(pauseMs);
    if (stopping.signal.aborted) return 0;
  }

  function sayAlive(): void {
    if (manager.watchdogMs !== undefined) void manager.notify('WATCHDOG=1');
  }

  async function rest(pauseMs: number): Promise<void> {
    const stepMs = (manager.watchdogMs ?? 3 * pauseMs) / 3;
    for (let left = pauseMs; left > 0 && !stopping.signal.aborted; left -= stepMs) {
      sayAlive();
      await wait(Math.min(left, stepMs), undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
}

/** False too where the slots cannot be read. */
function isCertain(what: () => boolean): boolean {
  try {
    return what();
  } catch {
    return false;
  }
}
