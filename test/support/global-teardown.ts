import { forgetAssemblies } from './assembly.ts';

/** Jest runs this once, after the last test. */
export default function tearDown(): void {
  forgetAssemblies();
}
