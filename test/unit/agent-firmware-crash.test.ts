/** Updates and crashes: at every step, with every choice of what the disk had taken, a working version starts, and the cloud hears the truth. */
import { type Behaviour, FirmwareWorld, MAX_BOOTS, type Release, release } from './agent-firmware-world.ts';
import { FirmwareDisk } from './firmware-disk.ts';

/** Crash states per run: the stated count with THINGSTEAD_EXHAUSTIVE, else a sample. */
const STATES = process.env.THINGSTEAD_EXHAUSTIVE ? 12_000 : 250;

/** Each a life: releases one after the other, and what each of them does. */
const LIVES: readonly (readonly Behaviour[])[] = [
  ['works', 'works', 'works'],
  ['works', 'crashes', 'works'],
  ['crashes', 'works'],
  ['works', 'offline', 'works'],
  ['works', 'fills-disk', 'works'],
  ['works', 'hangs', 'works'],
  ['works', 'cuts-power', 'works'],
];

interface Chapter {
  readonly release: Release;
  readonly world: FirmwareWorld;
  /** What ran before. */
  readonly before: number;
}

/** The same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
}

/** The chapters of a life; each begins with a disk on which everything of the one before is certain. */
async function live(
  behaviours: readonly Behaviour[],
  change: (disk: FirmwareDisk) => void = () => {},
): Promise<Chapter[]> {
  const chapters: Chapter[] = [];
  let disk: FirmwareDisk | undefined;
  for (const [index, behaviour] of behaviours.entries()) {
    const world: FirmwareWorld = disk ? new FirmwareWorld(disk) : new FirmwareWorld();
    const before = world.goodCounter ?? -1;
    change(world.disk);
    world.desired = release(index + 1, behaviour);
    await world.run();
    chapters.push({ release: world.desired, world, before });
    disk = world.disk.settled();
  }
  return chapters;
}

/** What is wrong when power goes after so many operations, and the device starts again. */
async function discrepancies(
  { release: wanted, world, before }: Chapter,
  length: number,
  files: FirmwareDisk,
): Promise<string[]> {
  const problems: string[] = [];
  const { attempt, counter, behaviour } = wanted;
  const works = behaviour === 'works';
  const heard = world.said.filter(({ at }) => at <= length);
  const after = new FirmwareWorld(files);
  after.desired = wanted;
  try {
    await after.run();
  } catch (error) {
    return [String(error)];
  }
  const launched = [...world.launched.filter(({ at }) => at <= length), ...after.launched];
  const ends = [...heard, ...after.said].filter(({ state }) => ['COMMITTED', 'ROLLED_BACK', 'FAILED'].includes(state));
  const promised = heard.some(({ state }) => state === 'COMMITTED') ? counter : before;

  for (const { slot, onTrial, counter: started } of after.launched) {
    if (started === undefined) problems.push(`started ${slot}${onTrial ? ', on trial,' : ''} which is not whole`);
    else if (!onTrial && started < promised) problems.push(`started ${started} after ${promised} was said to stay`);
    else if (!onTrial && started === counter && !works)
      problems.push(`started ${counter} for good, which ${behaviour}`);
  }
  const trials = launched.filter(({ onTrial, counter: started }) => onTrial && started === counter).length;
  if (trials > MAX_BOOTS) problems.push(`${trials} boots on trial`);
  const kinds = new Set(ends.map(({ state }) => state));
  if (kinds.size !== 1) problems.push(`ended as ${[...kinds].join(' and ') || 'nothing'}`);
  for (const { state, by } of ends) {
    if (state === 'COMMITTED' && (by !== counter || !works)) problems.push(`${by} said that ${counter} is committed`);
    if (state !== 'COMMITTED' && by !== before) problems.push(`${by} said ${state}`);
  }
  const end = works ? 'COMMITTED' : 'ROLLED_BACK';
  // A good version that lost its boots to the power may go back, too.
  if (!kinds.has(end))
    problems.push(`${attempt}, which ${behaviour}, ended as ${JSON.stringify(ends.map(({ status }) => status))}`);
  const stays = after.goodCounter;
  if (stays !== (works ? counter : before)) problems.push(`${stays} runs at the end`);
  return problems;
}

/** A crash state: at a random point, with a random choice of what the disk had taken, the last of it perhaps torn. */
function crashed({ world: { disk } }: Chapter, length: number, random: () => number): FirmwareDisk {
  const likely = [0, 0.5, 0.9, 1][Math.floor(random() * 4)] ?? 1;
  const tear = (bytes: number) => ({ at: Math.floor(random() * (bytes + 1)), zeros: random() < 0.5 });
  return new FirmwareDisk(disk.crash(length, () => random() < likely, random() < 0.5 ? tear : undefined));
}

describe('an update, after a crash', () => {
  it(
    'leaves a device that starts a version that works, says what is true, and comes to an end',
    async () => {
      const lives = await Promise.all(LIVES.map((each) => live(each)));
      const chapters = lives.flat();
      const random = randomFrom(7);
      for (let state = 0; state < STATES; state += 1) {
        const chapter = chapters[state % chapters.length];
        if (!chapter) throw new Error('no chapter');
        const length = Math.floor(random() * (chapter.world.disk.trace.length + 1));
        const disk = crashed(chapter, length, random);
        const problems = await discrepancies(chapter, length, disk);
        if (problems.length > 0) {
          const { behaviour, counter } = chapter.release;
          throw new Error(
            `state ${state}, ${counter} ${behaviour}, after ${length} operations: ${problems.join('\n')}`,
          );
        }
      }
    },
    STATES * 500 + 60_000,
  );

  it.each([
    ['the folder of the slots', (file: string) => file === '/slots'],
    ['what was unpacked', (file: string) => file.includes('/incoming')],
    ['the record of boots', (file: string) => file.startsWith('/slots/boot')],
    ['the journal', (file: string) => file.startsWith('/state/update')],
  ])(
    'would be caught if %s were not synced',
    async (_what, lies) => {
      // GIVEN a disk that says "synced" without doing it
      const chapters = await live(['works', 'cuts-power', 'works'], (disk) => {
        disk.lies = lies;
      });
      const random = randomFrom(3);

      // WHEN
      const found = async (): Promise<boolean> => {
        for (let state = 0; state < 600; state += 1) {
          const chapter = chapters[state % chapters.length];
          if (!chapter) continue;
          const length = Math.floor(random() * (chapter.world.disk.trace.length + 1));
          if ((await discrepancies(chapter, length, crashed(chapter, length, random))).length > 0) return true;
        }
        return false;
      };

      // THEN
      expect(await found()).toBe(true);
    },
    120_000,
  );
});
