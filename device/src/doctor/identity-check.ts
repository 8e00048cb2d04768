import { statSync } from 'node:fs';
import type { AgentConfig } from '../config.ts';
import { ConfigurationError, messageOf } from '../configuration-error.ts';
import { type Identity, loadIdentity } from '../identity.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** Certificate, key and their dates. Without an identity when they cannot be used. */
export async function checkIdentity(
  config: AgentConfig,
  now: number,
): Promise<{ readonly findings: readonly Finding[]; readonly identity?: Identity }> {
  let identity: Identity;
  try {
    identity = loadIdentity(config);
    if (config.pkcs11) (await import('../sdk-client-config.ts')).sdkClientConfig(config, identity);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const [summary = '', ...details] = messageOf(error).split('\n');
    return {
      findings: [fail('identity', summary, otherUser(config) ?? details.map((each) => each.trim()).join('; '))],
    };
  }
  const where = config.pkcs11 ? 'its key is in the token' : 'the key belongs to it, and nobody else can read it';
  return { identity, findings: [ok('identity', `certificate of ${config.thing}: ${where}`), dates(identity, now)] };
}

/** The agent's user is the one to whom the key belongs; asked by root, the doctor would find fault with that. */
function otherUser({ privateKeyFile, pkcs11 }: AgentConfig): string | undefined {
  try {
    const { uid } = statSync(pkcs11?.pinFile ?? privateKeyFile ?? '');
    if (process.getuid?.() !== 0 || uid === 0) return undefined;
    return `ask as the user of the agent: sudo -u '#${uid}' thingstead-agent doctor`;
  } catch {
    return undefined;
  }
}

function dates({ notBefore, notAfter }: Identity, now: number): Finding {
  const check = 'certificate-dates';
  const from = notBefore.toISOString();
  const until = notAfter.toISOString();
  const clock = `the clock of this device says ${new Date(now).toISOString()}`;
  if (now < notBefore.getTime()) {
    return fail(
      check,
      `valid only from ${from}; ${clock}`,
      'set the clock: is the network there, and timedatectl in sync?',
    );
  }
  if (now > notAfter.getTime())
    return fail(
      check,
      `expired at ${until}; ${clock}`,
      'with renewal.url the agent gets a new one by itself; else ask the operator',
    );
  const days = Math.floor((notAfter.getTime() - now) / DAY_MS);
  if (days < SOON_DAYS)
    return warn(
      check,
      `expires in ${days} days, at ${until}`,
      'the agent renews it while it is connected: look for certificate.not_renewed in its log',
    );
  return ok(check, `valid until ${until}`);
}
