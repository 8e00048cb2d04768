import { CrashPoint, type Files, SimulatedDisk } from './outbox-disk.ts';
import { Cloud, discrepancies, drain, openOutbox } from './outbox-ledger.ts';

/** Crash states per run: the stated count with THINGSTEAD_EXHAUSTIVE, else a sample. */
const STATES = process.env.THINGSTEAD_EXHAUSTIVE ? 20_000 : 500;

/** The same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
}

/** Some outboxes are so small that they drop. */
const optionsOf = (seed: number) => (seed % 4 === 0 ? { maxBytes: 24_000 } : {});

/** What was true when so many operations had been done. */
interface Moment {
  readonly operations: number;
  readonly kept: ReadonlySet<number>;
  readonly sent: ReadonlyMap<string, string>;
}

interface Story {
  readonly disk: SimulatedDisk;
  readonly moments: readonly Moment[];
}

/** A life of the outbox with everything that happens in one: full, answered and unanswered messages, restarts. */
function live(seed: number, disk: SimulatedDisk, steps = 60): Story {
  const cloud = new Cloud();
  const random = randomFrom(seed);
  const moments: Moment[] = [];
  let kept: ReadonlySet<number> = new Set();
  const note = (): void => {
    moments.push({ operations: disk.trace.length, kept, sent: new Map(cloud.messages) });
  };
  let { outbox } = openOutbox(disk, optionsOf(seed));
  let value = 0;
  const everything = (): void => {
    kept = new Set(Array.from({ length: value }, (_, index) => index + 1));
  };
  note();
  for (let step = 0; step < steps; step += 1) {
    const dice = random();
    if (dice < 0.55) {
      value += 1;
      // Now and then a long one, so that messages fill and files are rewritten.
      const longest = seed % 3 === 0 ? 30_000 : 3000;
      const padding = random() < 0.2 ? { note: 'x'.repeat(Math.floor(random() * longest)) } : {};
      outbox.put(random() < 0.7 ? 'a' : 'b', { value, ...padding });
    } else if (dice < 0.7) {
      if (outbox.sync()) everything();
    } else if (dice < 0.95) {
      const message = outbox.take();
      if (message) {
        cloud.receive(message);
        note();
        if (random() < 0.6) outbox.acknowledge(message);
        else if (random() < 0.8) outbox.putBack(message);
        // Else it stays in flight.
      }
    } else {
      // kill -9: what was written is there, synced or not.
      ({ outbox } = openOutbox(disk, optionsOf(seed)));
      everything();
    }
    note();
  }
  return { disk, moments };
}

/** Recovers from the files and says what is wrong with the books. */
function check(files: Files, { kept, sent }: Moment): string[] {
  const cloud = new Cloud(sent);
  try {
    const disk = new SimulatedDisk(files);
    const { outbox } = openOutbox(disk);
    // The recovery is cut off as well, by the end of the process.
    const again = openOutbox(disk).outbox;
    expect(again.size).toBe(outbox.size);
    drain(again, cloud);
    return discrepancies(kept, cloud, again.dropped);
  } catch (error) {
    return [String(error)];
  }
}

/** Crash states of a story: at random points, with random choices of what the disk had taken. */
function* crashStates({ disk, moments }: Story, count: number, random: () => number) {
  for (let state = 0; state < count; state += 1) {
    const length = Math.floor(random() * (disk.trace.length + 1));
    const point = new CrashPoint(disk.trace, length);
    // What was promised when the operation began.
    const moment = moments.findLast(({ operations }) => operations <= length);
    if (!moment) continue;
    const likely = [0, 0.5, 0.9, 1][Math.floor(random() * 4)] ?? 1;
    const chosen = point.pending.filter(() => random() < likely);
    const bytes = point.tearable(chosen);
    const tear = random() < 0.5 ? undefined : { at: Math.floor(random() * bytes), zeros: random() < 0.5 };
    yield { files: point.files(chosen, tear), moment, length };
  }
}

describe('the outbox on the disk, after a crash', () => {
  it('has lost and doubled nothing, in every state that the disk may be in', () => {
    // GIVEN lives of the outbox, and crashes at random points of their traces
    const perStory = 100;
    let states = 0;
    for (let seed = 1; states < STATES; seed += 1) {
      const story = live(seed, new SimulatedDisk());
      for (const { files, moment, length } of crashStates(story, perStory, randomFrom(seed + 7_000_000))) {
        // WHEN it starts again and sends everything
        const problems = check(files, moment);
        states += 1;

        // THEN
        if (problems.length > 0) throw new Error(`seed ${seed}, after ${length} operations: ${problems.join('\n')}`);
      }
    }
  });

  it('has lost and doubled nothing, at every single point and for every subset of one short life', () => {
    const story = live(42, new SimulatedDisk(), 12);
    let states = 0;
    for (let length = 0; length <= story.disk.trace.length; length += 1) {
      const point = new CrashPoint(story.disk.trace, length);
      const moment = story.moments.findLast(({ operations }) => operations <= length);
      if (!moment) continue;
      for (let mask = 0; mask < 2 ** point.pending.length; mask += 1) {
        const chosen = point.pending.filter((_, index) => mask & (1 << index));
        const bytes = point.tearable(chosen);
        for (const tear of [undefined, ...Array.from({ length: bytes }, (_, at) => ({ at, zeros: at % 2 === 0 }))]) {
          expect(check(point.files(chosen, tear), moment)).toEqual([]);
          states += 1;
        }
      }
    }
    expect(states).toBeGreaterThan(1000);
  });

  it('would be caught if it did not sync', () => {
    // GIVEN a disk whose syncs do nothing
    const disk = new SimulatedDisk();
    disk.lies = true;

    // WHEN
    const states = [...crashStates(live(1, disk), 200, randomFrom(1))];

    // THEN
    expect(states.some(({ files, moment }) => check(files, moment).length > 0)).toBe(true);
  });
});
