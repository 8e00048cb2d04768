import { validate } from '@thingstead/contracts/validate';
import { Directive } from '@thingstead/contracts/voice';
import { type AnswerTo, errorResponse, type Message } from '../alexa/messages.ts';
import { acceptGrant } from './accept-grant.ts';
import { authorize } from './authorize.ts';
import { operationOf } from './control.ts';
import { discover } from './discover.ts';
import type { Described, Ports } from './ports.ts';
import { reportState } from './report-state.ts';
import { setMember } from './set-member.ts';

/** Directives in these namespaces are about a person; Alexa takes no answer to them that names an endpoint. */
const OF_PEOPLE = ['Alexa.Discovery', 'Alexa.Authorization'];

/** What a directive came to: a message, and in words for the log. */
interface Done {
  readonly message: Message;
  readonly outcome: string;
  readonly person?: string | undefined;
}

/**
 * Answers what Alexa asks. Whatever happens, it is told so in its own words; what is our fault is counted besides.
 */
export function createHandler(ports: Ports): (event: unknown) => Promise<Message> {
  return async (event) => {
    const begunAt = ports.now();
    const read = validate(Directive, event);
    if (!read.ok) {
      ports.reports.answered({ directive: 'unreadable' }, 'INVALID_DIRECTIVE');
      const to = { messageId: ports.newId(), correlationToken: undefined, endpointId: undefined };
      return errorResponse({ type: 'INVALID_DIRECTIVE', message: read.reason }, to);
    }
    const { directive } = read.value;
    const { header, endpoint } = directive;
    const described: Described = { directive: `${header.namespace}.${header.name}`, thing: endpoint?.endpointId };
    const to: AnswerTo = {
      messageId: ports.newId(),
      correlationToken: header.correlationToken,
      endpointId: OF_PEOPLE.includes(header.namespace) ? undefined : endpoint?.endpointId,
    };
    try {
      const { message, outcome, person } = await answerTo(directive, to, begunAt, ports);
      ports.reports.answered({ ...described, person }, outcome);
      return message;
    } catch (error) {
      ports.reports.failed(described, error);
      const type = header.name === 'AcceptGrant' ? 'ACCEPT_GRANT_FAILED' : 'INTERNAL_ERROR';
      return errorResponse({ type, message: 'the skill failed' }, to);
    }
  };
}

async function answerTo(directive: Directive, to: AnswerTo, begunAt: number, ports: Ports): Promise<Done> {
  const { namespace, name } = directive.header;
  if (namespace === 'Alexa.Discovery' && name === 'Discover') return discover(directive, to, ports);
  if (namespace === 'Alexa.Authorization' && name === 'AcceptGrant') return acceptGrant(directive, to, ports);
  const refused = (failure: Parameters<typeof errorResponse>[0]): Done => ({
    message: errorResponse(failure, to),
    outcome: failure.type,
  });
  const operation = operationOf(directive);
  if (!operation.ok) return refused(operation.failure);
  if (!directive.endpoint) return refused({ type: 'INVALID_DIRECTIVE', message: 'the directive names no endpoint' });
  const needed = operation.value.kind === 'report' ? 'viewer' : 'controller';
  const authorized = await authorize(directive.endpoint, needed, ports);
  if (!authorized.ok) return refused(authorized.failure);
  const { person } = authorized;
  if (operation.value.kind === 'report') {
    return { message: await reportState(authorized, to, ports), outcome: 'reported', person };
  }
  const result = await setMember(authorized, operation.value, { to, begunAt }, ports);
  return { ...(result.ok ? { message: result.message, outcome: 'done' } : refused(result.failure)), person };
}
