import { forgetAssemblies } from './assembly.ts';
import { refuseLeakedSecrets } from './secrets/run.ts';

/** Jest runs this once, after the last test. */
export default function tearDown(): void {
  forgetAssemblies();
  refuseLeakedSecrets();
}
