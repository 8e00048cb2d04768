/** What `npm start` does when it cannot start. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

const endpointsFile = path.resolve('.thingstead/endpoints.json');

async function start(...args: readonly string[]): Promise<{ readonly code: unknown; readonly stderr: string }> {
  return promisify(execFile)(process.execPath, ['bin/start.ts', ...args]).then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }) => ({ code, stderr }),
  );
}

describe('npm start', () => {
  it.each([[['--bogus']], [['--port-offset', '-1']], [['surplus']]])('refuses %j in plain words', async (args) => {
    const { code, stderr } = await start(...args);

    expect(code).toBe(2);
    expect(stderr).toContain('npm start -- [--once]');
    expect(stderr).not.toContain('node:internal');
  });

  it('leaves the addresses of a runtime alone that has the ports already', async () => {
    // GIVEN a port that is taken, and the addresses of who took it
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(4566 + 6950, '127.0.0.1', resolve));
    const before = existsSync(endpointsFile) ? readFileSync(endpointsFile, 'utf8') : undefined;
    const addresses = before ?? '{"pid":1}\n';
    mkdirSync(path.dirname(endpointsFile), { recursive: true });
    writeFileSync(endpointsFile, addresses, { mode: 0o600 });

    try {
      // WHEN
      const { code, stderr } = await start('--no-demo', '--port-offset', '6950');

      // THEN
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('is in use') });
      expect(existsSync(endpointsFile) && readFileSync(endpointsFile, 'utf8')).toBe(addresses);
    } finally {
      other.close();
      if (before === undefined) rmSync(endpointsFile, { force: true });
      else writeFileSync(endpointsFile, before, { mode: 0o600 });
    }
  });
});
