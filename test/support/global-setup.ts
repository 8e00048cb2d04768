import { forgetAssemblies, synthesize } from './assembly.ts';

/** Jest runs this once: what the tests deploy is what the sources say now. */
export default function setUp(): void {
  forgetAssemblies();
  synthesize();
}
