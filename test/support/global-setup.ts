import { synthesize, useAssemblyFolder } from './assembly.ts';
import { watchSecrets } from './secrets/run.ts';

/** Jest runs this once, before its workers start: what the tests deploy is what the sources say now. */
export default function setUp(): void {
  watchSecrets();
  useAssemblyFolder();
  synthesize();
}
