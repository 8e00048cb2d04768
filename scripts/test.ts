/**
 * `npm test`: everything that must pass. Types, lint, format and dead code first, since they are quick; then Jest.
 * Arguments go to Jest; with any, the static checks are left out. `--exhaustive` runs the stated counts of the
 * randomised tests instead of a seeded sample. `TARGET=aws` takes the features to deployed stacks.
 */
import { spawnSync } from 'node:child_process';

const args = process.argv.slice(2);
const jestArgs = args.filter((each) => each !== '--exhaustive');
const exhaustive = args.includes('--exhaustive');

function run(command: string, commandArgs: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const { status, error } = spawnSync(command, commandArgs, { stdio: 'inherit', env });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const paths = jestArgs.filter((each) => each.startsWith('test/'));
if (process.env.TARGET === 'aws' && (paths.length === 0 || !paths.every((each) => each.startsWith('test/features')))) {
  process.stderr.write('TARGET=aws is for features only: TARGET=aws npm run test:features\n');
  process.exit(2);
}
if (jestArgs.length === 0) run('npm', ['run', '--silent', 'check']);
run('jest', jestArgs, { ...process.env, ...(exhaustive ? { THINGSTEAD_EXHAUSTIVE: '1' } : {}) });
