import type { Client } from '@thingstead/client';
import { FAILURES, UNDER_WAY } from '@thingstead/contracts/rollouts';
import { Presets, SingleBar } from 'cli-progress';
import { pause } from '../pause.ts';

type Rollout = Awaited<ReturnType<Client['getRollout']>>;

const LOOK_MS = 2000;

/** Shows how far a rollout is, until nothing is under way any more, or somebody has to decide. */
export async function watchRollout(
  { getRollout }: Client,
  id: string,
  show: (rollout: Rollout) => void,
  signal: AbortSignal,
): Promise<Rollout> {
  for (;;) {
    const rollout = await getRollout({ params: { rollout: id } });
    show(rollout);
    if (rollout.endedAt !== undefined || rollout.state === 'PAUSED' || signal.aborted) return rollout;
    await pause(LOOK_MS, signal);
  }
}

export interface Display {
  show(rollout: Rollout): void;
  stop(): void;
}

/** A bar where somebody looks, else a line for each change. */
export function createDisplay(terminal: NodeJS.WriteStream, say: (text: string) => void): Display {
  if (!terminal.isTTY) {
    let last = '';
    return {
      show(rollout) {
        const line = lineOf(rollout);
        if (line !== last) say(line);
        last = line;
      },
      stop() {},
    };
  }
  const format = '|{bar}| {percentage}% {line}';
  const bar = new SingleBar({ stream: terminal, format, hideCursor: true }, Presets.shades_classic);
  let isShown = false;
  return {
    show(rollout) {
      const payload = { line: lineOf(rollout) };
      // A bar of nothing has no end.
      if (isShown) bar.update(finished(rollout), payload);
      else bar.start(Math.max(rollout.total, 1), finished(rollout), payload);
      bar.setTotal(Math.max(rollout.total, 1));
      isShown = true;
    },
    stop() {
      if (isShown) bar.stop();
    },
  };
}

/** `RUNNING wave 2 of 3: 5 succeeded, 12 under way, 1 failed, 82 to come` */
export function lineOf({ state, wave, settings, numbers }: Rollout): string {
  const sum = (states: readonly string[]): number => states.reduce((total, each) => total + (numbers[each] ?? 0), 0);
  const parts = [
    `${numbers.SUCCEEDED ?? 0} succeeded`,
    `${sum(UNDER_WAY)} under way`,
    `${sum(FAILURES)} failed`,
    ...(numbers.UNREACHED ? [`${numbers.UNREACHED} not reached`] : []),
    `${numbers.PENDING ?? 0} ${state === 'ABORTED' ? 'untouched' : 'to come'}`,
  ];
  return `${state} wave ${wave + 1} of ${settings.waves.length}: ${parts.join(', ')}`;
}

function finished({ total, numbers }: Rollout): number {
  return total - ['PENDING', ...UNDER_WAY].reduce((sum, each) => sum + (numbers[each] ?? 0), 0);
}
