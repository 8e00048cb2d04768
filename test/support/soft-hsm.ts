/** A PKCS#11 token in software: SoftHSM 2, with a store of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TOKEN = 'agent';

/** Where Debian, Fedora and Alpine put it. */
function softHsmLibrary(): string {
  const folders = ['/usr/lib/softhsm', '/usr/lib64/pkcs11', '/usr/local/lib/softhsm'];
  const file = folders.map((each) => path.join(each, 'libsofthsm2.so')).find((each) => existsSync(each));
  if (file === undefined) throw new Error(`libsofthsm2.so is in none of ${folders.join(', ')}`);
  return file;
}

export class SoftHsm {
  readonly pin = '482913';
  readonly folder = mkdtempSync(path.join(tmpdir(), 'thingstead-pkcs11-'));
  /** For every process that uses the token. */
  readonly environment = { SOFTHSM2_CONF: path.join(this.folder, 'softhsm2.conf') };
  /** The agent's configuration, without `keyLabel`. */
  readonly pkcs11 = { library: softHsmLibrary(), tokenLabel: TOKEN, pinFile: path.join(this.folder, 'pin') };

  constructor() {
    const tokens = path.join(this.folder, 'tokens');
    mkdirSync(tokens, { mode: 0o700 });
    const settings = `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`;
    writeFileSync(this.environment.SOFTHSM2_CONF, settings);
    writeFileSync(this.pkcs11.pinFile, `${this.pin}\n`, { mode: 0o600 });
    this.#run('softhsm2-util', '--init-token', '--free', '--label', TOKEN, '--pin', this.pin, '--so-pin', '87654321');
  }

  /** The key goes into the token and is in no file afterwards. @param keyPem PKCS #8 @param id hexadecimal digits */
  importKey(keyPem: string, label: string, id: string): void {
    const file = path.join(this.folder, 'import.pem');
    writeFileSync(file, keyPem, { mode: 0o600 });
    this.#run('softhsm2-util', '--import', file, '--token', TOKEN, '--label', label, '--id', id, '--pin', this.pin);
    rmSync(file);
  }

  /** @param id hexadecimal digits */
  deleteKey(id: string): void {
    const { library, tokenLabel } = this.pkcs11;
    const login = ['--module', library, '--token-label', tokenLabel, '--login', '--pin', this.pin];
    for (const type of ['privkey', 'pubkey']) {
      this.#run('pkcs11-tool', ...login, '--delete-object', '--type', type, '--id', id);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(tool: string, ...args: readonly string[]): void {
    const env = { ...process.env, ...this.environment };
    const { status, stderr, stdout } = spawnSync(tool, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${tool}: ${stdout}${stderr}`);
  }
}
