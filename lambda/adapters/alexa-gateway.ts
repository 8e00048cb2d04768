import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Message } from '../alexa/messages.ts';
import type { EventGateway, Posted } from '../voice-reports/ports.ts';

const TIMEOUT_MS = 5_000;

const Refusal = v.object({ payload: v.object({ code: v.string() }) });

/** Alexa's event gateway of one region: https://developer.amazon.com/en-US/docs/alexa/smarthome/send-events.html */
export class AlexaGateway implements EventGateway {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async post(message: Message, token: string): Promise<Posted> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return { outcome: 'accepted' };
    if (response.status === 401) return { outcome: 'unauthorized' };
    const code = codeOf(text);
    if (response.status === 403 && (code === 'SKILL_DISABLED_EXCEPTION' || code === 'SKILL_NEVER_ENABLED_EXCEPTION')) {
      return { outcome: 'disabled' };
    }
    return { outcome: 'failed', reason: `${response.status} ${code ?? ''}`.trim() };
  }
}

function codeOf(text: string): string | undefined {
  try {
    const refusal = validate(Refusal, JSON.parse(text));
    return refusal.ok ? refusal.value.payload.code : undefined;
  } catch {
    return undefined;
  }
}
