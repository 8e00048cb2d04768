import path from 'node:path';
import { synthesize, useAssemblyFolder } from './assembly.ts';
import { useBundledRuntime } from './runtime-bundle.ts';
import { watchSecrets } from './secrets/run.ts';

/** Jest runs this once, before its workers start: what the tests deploy is what the sources say now. */
export default function setUp(): void {
  // Where `npm test` has it (scripts/with-dependencies.mjs).
  process.env.NODE_COMPILE_CACHE ??= path.resolve(__dirname, '../../node_modules/.cache/compiled');
  watchSecrets();
  useBundledRuntime();
  useAssemblyFolder();
  synthesize();
}
