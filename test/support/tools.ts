import { spawnSync } from 'node:child_process';

/** A Python that has boto3: the first on the path, or the system's, where Debian's package puts it. */
export function pythonWithBoto3(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((each) => spawnSync(each, ['-c', 'import boto3']).status === 0);
}

function isThere(tool: string): boolean {
  return tool === 'boto3' ? pythonWithBoto3() !== undefined : spawnSync('which', [tool]).status === 0;
}

/**
 * Tests that need commands of the machine (openssl, mosquitto_pub, the AWS CLI) or Python's boto3. Under CI a missing one fails;
 * elsewhere the tests are reported as skipped, with the command that installs it.
 */
export function describeWithTools(tools: readonly string[], name: string, tests: () => void): void {
  const missing = tools.filter((tool) => !isThere(tool));
  if (missing.length === 0) {
    describe(name, tests);
    return;
  }
  const packages: Readonly<Record<string, string>> = {
    mosquitto_pub: 'mosquitto-clients',
    aws: 'awscli',
    boto3: 'python3-boto3',
    'pkcs11-tool': 'opensc',
    'softhsm2-util': 'softhsm2',
    'systemd-analyze': 'systemd',
    'systemd-notify': 'systemd',
  };
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
