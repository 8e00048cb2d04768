import { synthesize, useAssemblyFolder } from './assembly.ts';

/** Jest runs this once, before its workers start: what the tests deploy is what the sources say now. */
export default function setUp(): void {
  useAssemblyFolder();
  synthesize();
}
