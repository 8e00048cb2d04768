import { type Stats, statSync } from 'node:fs';
import { ConfigurationError, messageOf } from './configuration-error.ts';

/**
 * Checks that nobody but the agent's user can read a file with a secret. What systemd has put below
 * `$CREDENTIALS_DIRECTORY` (LoadCredential=) is for this service alone, whatever its mode says.
 *
 * @param key the key of the configuration that names the file.
 * @param what the secret in the middle of a sentence: "private key".
 * @throws ConfigurationError with the command that repairs it.
 */
export function checkSecretFile(key: string, what: string, file: string): void {
  let stats: Stats;
  try {
    stats = statSync(file);
  } catch (cause) {
    throw new ConfigurationError(`${key} cannot be read`, [messageOf(cause)], { cause });
  }
  const { CREDENTIALS_DIRECTORY: credentials } = process.env;
  if (credentials && file.startsWith(`${credentials}/`)) return;
  const user = process.getuid?.();
  if (user !== undefined && stats.uid !== user) {
    throw new ConfigurationError(`the ${what} belongs to another user`, [
      `${file} is owned by user ${stats.uid}, the agent runs as user ${user}`,
      `run: sudo chown ${user} ${file}`,
    ]);
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new ConfigurationError(`other users of this machine can read the ${what}`, [
      `${file} has mode ${(stats.mode & 0o777).toString(8).padStart(4, '0')}; it must be 0600 or 0400`,
      `run: chmod 600 ${file}`,
    ]);
  }
}
