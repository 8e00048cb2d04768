import { Presets, SingleBar } from 'cli-progress';
import { formatBytes } from './format-bytes.ts';

/** How far something is. */
export interface Progress {
  /** `what` is shown before it; `total` and `done` are bytes. */
  at(what: string, done: number, total: number): void;
  /** To be called at the end, whatever it was. */
  stop(): void;
}

const STEP_PERCENT = 10;

/** A bar where somebody looks, else a line for every tenth. */
export function createProgress(terminal: NodeJS.WriteStream | undefined, say: (text: string) => void): Progress {
  return terminal?.isTTY ? bar(terminal) : lines(say);
}

function bar(stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar(
    {
      stream,
      format: '{what} |{bar}| {percentage}% | {done} of {all}',
      hideCursor: true,
      clearOnComplete: false,
      etaBuffer: 20,
    },
    Presets.shades_classic,
  );
  let shown: string | undefined;
  return {
    at(what, done, total) {
      const payload = { what, done: formatBytes(done), all: formatBytes(total) };
      if (shown === what) single.update(done, payload);
      else {
        if (shown !== undefined) single.stop();
        // A bar of nothing has no end.
        single.start(Math.max(total, 1), done, payload);
        shown = what;
      }
    },
    stop() {
      if (shown !== undefined) single.stop();
      shown = undefined;
    },
  };
}

function lines(say: (text: string) => void): Progress {
  let last = '';
  return {
    at(what, done, total) {
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      const line = `${what} ${percent - (percent % STEP_PERCENT)} %`;
      if (line !== last) say(line);
      last = line;
    },
    stop() {},
  };
}
