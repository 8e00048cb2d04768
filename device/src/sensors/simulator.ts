import type { PromptSensor } from './sensor.ts';

export interface SimulatorOptions {
  /** `walk`: a random walk between mean - amplitude and mean + amplitude. `sine`: a wave of that height. */
  readonly shape: 'walk' | 'sine';
  readonly mean: number;
  readonly amplitude: number;
  /** Length of one wave of `sine`. */
  readonly periodSeconds: number;
  /** The same seed gives the same walk. */
  readonly seed: number;
}

/** A sensor that makes its values up, the same ones for the same seed. Values have two decimals. */
export function simulator(options: SimulatorOptions): PromptSensor {
  const { mean, amplitude } = options;
  if (options.shape === 'sine') {
    const periodMs = options.periodSeconds * 1000;
    const phase = seededRandom(options.seed)();
    return { read: (time) => round(mean + amplitude * Math.sin(2 * Math.PI * (time / periodMs + phase))) };
  }
  const random = seededRandom(options.seed);
  let value = mean + (random() - 0.5) * amplitude;
  return {
    read: () => {
      const step = (random() - 0.5) * amplitude * 0.2;
      value = Math.min(mean + amplitude, Math.max(mean - amplitude, value + step));
      return round(value);
    },
  };
}

/** A seed from text (FNV-1a), so that every thing and sensor has its own curve without configuration. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Mulberry32: small, fast and good enough for made-up weather. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
