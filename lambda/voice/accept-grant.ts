import { validate } from '@thingstead/contracts/validate';
import { AcceptGrantPayload, type Directive } from '@thingstead/contracts/voice';
import { type AnswerTo, answer, errorResponse, type Message } from '../alexa/messages.ts';
import { personOf } from './authorize.ts';
import type { Ports } from './ports.ts';

interface Done {
  readonly message: Message;
  readonly outcome: string;
  readonly person?: string;
}

/**
 * https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-authorization.html: Amazon's code becomes the tokens with which
 * Alexa is told of changes. Whatever goes wrong is one error here; the log says which.
 */
export async function acceptGrant({ payload }: Directive, to: AnswerTo, ports: Ports): Promise<Done> {
  const failed = (message: string, outcome: string): Done => ({
    message: errorResponse({ type: 'ACCEPT_GRANT_FAILED', message }, to),
    outcome,
  });
  const read = validate(AcceptGrantPayload, payload);
  if (!read.ok) return failed(read.reason, 'ACCEPT_GRANT_FAILED: unreadable');
  const who = await personOf(read.value.grantee.token, ports);
  if (!who.ok) return failed(who.failure.message, `ACCEPT_GRANT_FAILED: ${who.failure.type}`);
  const { person } = who;
  const login = await ports.authorizations.exchange(read.value.grant.code);
  if (!login.ok) {
    return { ...failed('Amazon does not take the code', `ACCEPT_GRANT_FAILED: ${login.refused}`), person };
  }
  await ports.links.put(person, ports.newId(), login.tokens, ports.now());
  ports.reports.linked(person);
  return { message: answer(['Alexa.Authorization', 'AcceptGrant.Response'], to), outcome: 'linked', person };
}
