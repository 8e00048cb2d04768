import { spawnSync } from 'node:child_process';

/**
 * Tests that need commands of the machine (openssl, mosquitto_pub, the AWS CLI). Under CI a missing one fails;
 * elsewhere the tests are reported as skipped, with the command that installs it.
 */
export function describeWithTools(tools: readonly string[], name: string, tests: () => void): void {
  const missing = tools.filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (missing.length === 0) {
    describe(name, tests);
    return;
  }
  const packages: Readonly<Record<string, string>> = { mosquitto_pub: 'mosquitto-clients', aws: 'awscli' };
  const install = `apt-get install ${missing.map((tool) => packages[tool] ?? tool).join(' ')}`;
  if (process.env.CI) {
    it(`${name}: needs ${missing.join(', ')}`, () => {
      throw new Error(`missing: ${missing.join(', ')}. Install with: ${install}`);
    });
    return;
  }
  process.stderr.write(`\nSKIPPED: ${name} needs ${missing.join(', ')}. Install with: ${install}\n`);
  describe.skip(`${name} (needs ${missing.join(', ')})`, tests);
}
