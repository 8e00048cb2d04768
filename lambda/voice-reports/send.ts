import type { AlexaLinkRow } from '@thingstead/contracts/voice';
import type { Report } from '../alexa/messages.ts';
import type { AlexaTokens } from '../voice/ports.ts';
import type { Ports } from './ports.ts';

/** A token that ends sooner may end on the way. */
const MARGIN_MS = 60_000;

/** The gateway did not take a report; it is tried again. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
}

/**
 * Tells Alexa, with new tokens when the old ones have ended. False when the person has switched the skill off: then there is nobody
 * to tell, and the link is removed. @throws GatewayError
 */
export async function send(link: AlexaLinkRow, report: Report, ports: Ports): Promise<boolean> {
  const kept = await ports.links.open(link);
  let tokens = kept.endsAt - MARGIN_MS > ports.now() ? kept : await renewed(link, kept, ports);
  for (let attempt = 0; tokens; attempt += 1) {
    const posted = await ports.gateway.post(report(tokens.accessToken), tokens.accessToken);
    if (posted.outcome === 'accepted') return true;
    if (posted.outcome === 'failed') throw new GatewayError(`the event gateway answered ${posted.reason}`);
    if (posted.outcome === 'disabled') return unlink(link, 'the skill is disabled', ports);
    if (attempt > 0) throw new GatewayError('the event gateway does not take a token that is new');
    tokens = await renewed(link, tokens, ports);
  }
  return false;
}

async function renewed(link: AlexaLinkRow, tokens: AlexaTokens, ports: Ports): Promise<AlexaTokens | undefined> {
  const login = await ports.authorizations.refresh(tokens.refreshToken);
  if (!login.ok) {
    await unlink(link, `Amazon refuses the refresh token: ${login.refused}`, ports);
    return undefined;
  }
  await ports.links.renew(link, login.tokens);
  return login.tokens;
}

async function unlink(link: AlexaLinkRow, reason: string, ports: Ports): Promise<false> {
  await ports.links.remove(link);
  ports.reports.unlinked(link.person, reason);
  return false;
}
