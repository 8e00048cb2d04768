/**
 * The order of test files. Those that take long come first, so that no worker is left alone with one of them at the end, also
 * on a fresh clone, where Jest knows no durations: https://jestjs.io/docs/configuration#testsequencer-string
 */
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** More than ten seconds each, the longest first. */
const LONGEST = [
  'test/features/firmware/fleet.test.ts',
  'test/features/telemetry/soak.test.ts',
  'test/features/faults/every-call.test.ts',
  'test/unit/cli-platform.test.ts',
  'test/features/clients/aws-tools.test.ts',
  'test/features/clients/agent-package.test.ts',
  'test/features/notifications/delivery.test.ts',
  'test/features/files/round-trip.test.ts',
  'test/features/onboarding/agent.test.ts',
  'test/features/voice/directives.test.ts',
  'test/features/presence/sleeping.test.ts',
  'test/runtime/data/round.test.ts',
  'test/features/presence/outage.test.ts',
  'test/unit/agent-firmware-crash.test.ts',
  'test/unit/agent-run.test.ts',
  'test/unit/agent-firmware-launcher.test.ts',
  'test/unit/outbox-crash.test.ts',
  'test/unit/agent-supervision.test.ts',
  'test/runtime/data/kill.test.ts',
  'test/template/synthesis.test.ts',
];

/** Of the others, those in these folders take longer than the rest. */
const FOLDERS = ['test/features/', 'test/template/', 'test/runtime/data/', 'test/runtime/'];

interface TestFile {
  readonly path: string;
}

/** What Jest asks of a sequencer. */
// biome-ignore lint/style/noDefaultExport: Jest takes the default export.
export default class LongestFirst {
  sort<Test extends TestFile>(tests: readonly Test[]): Test[] {
    return tests.toSorted((one, other) => rank(one) - rank(other) || one.path.localeCompare(other.path));
  }

  /** With `--shard=1/2`: every second file, long ones too. */
  shard<Test extends TestFile>(
    tests: readonly Test[],
    { shardIndex, shardCount }: { readonly shardIndex: number; readonly shardCount: number },
  ): Test[] {
    return this.sort(tests).filter((_, at) => at % shardCount === shardIndex - 1);
  }

  /** `--onlyFailures` runs everything: nothing is kept from run to run. */
  allFailedTests<Test extends TestFile>(tests: readonly Test[]): readonly Test[] {
    return tests;
  }

  cacheResults(): void {}
}

function rank(test: TestFile): number {
  const file = path.relative(root, test.path);
  const long = LONGEST.indexOf(file);
  if (long >= 0) return long;
  const folder = FOLDERS.findIndex((each) => file.startsWith(each));
  return LONGEST.length + (folder >= 0 ? folder : FOLDERS.length);
}
