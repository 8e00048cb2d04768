import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import type { Identity } from '../identity.ts';
import { type Connect, ConnectionFailed, type Session } from '../session.ts';
import { type Finding, fail, ok } from './finding.ts';

/** Connects as the agent does, asks for its shadow, and says goodbye. Nothing is stored by it. */
export async function checkConnect(config: AgentConfig, identity: Identity): Promise<readonly Finding[]> {
  const { sdkConnect } = await import('../sdk-session.ts');
  return tryConnect(config.thing, sdkConnect(config, identity));
}

async function tryConnect(thing: string, connect: Connect): Promise<readonly Finding[]> {
  let session: Session;
  try {
    session = await connect(new AbortController().signal);
  } catch (error) {
    return [fail('mqtt', messageOf(error), adviceFor(error))];
  }
  const permission = await askForShadow(thing, session);
  await session.disconnect();
  return [ok('mqtt', `connected as ${thing}: the certificate is active`), permission];
}

function adviceFor(error: unknown): string {
  if (!(error instanceof ConnectionFailed)) return 'see the log of the agent';
  switch (error.kind) {
    case 'closed-without-answer':
      return (
        'the cloud does not take this certificate. New here: this attempt has registered it, try again in a minute. ' +
        'Else ask the operator: is it held, inactive or revoked, or its CA not registered? (thingstead device show)'
      );
    case 'refused':
      return 'the certificate is known, the connection is not allowed: is its policy attached, and the thing name its own?';
    case 'unreachable':
      return 'the connection broke: with all lines above ok, the key may not belong to the certificate';
  }
}

/** A request that the device policy allows and that changes nothing; the same policy allows its sensors' topics. */
async function askForShadow(thing: string, session: Session): Promise<Finding> {
  const topic = `$aws/things/${thing}/shadow/get`;
  const outcome = await session.publish(topic, Buffer.alloc(0));
  if (outcome.kind === 'acknowledged') return ok('permission', `may publish to its own topics (${topic})`);
  const advice = 'the policy of the certificate does not allow it: is it the device policy of the platform?';
  return fail('permission', `${topic}: ${outcome.reason}`, advice);
}
