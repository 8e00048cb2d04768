import { PAIRING_CODE_SECONDS } from '@thingstead/contracts/pairing';
import type { Clock } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import { runProgram } from '../run-program.ts';
import type { Pairing, PairingAnswer } from './pairing.ts';
import type { PairingConfig } from './pairing-config.ts';
import { pairingContent } from './pairing-content.ts';

/** What it prints is not kept. */
const MAX_BYTES = 4096;
/** Counted from the answer: the device's own clock may not be right. */
const SHOWN_MS = PAIRING_CODE_SECONDS * 1000;

export interface PairingButtonOptions {
  readonly pairing: Pick<Pairing, 'ask'>;
  readonly config: PairingConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the agent ends. */
  readonly signal: AbortSignal;
}

/**
 * Makes what happens when somebody presses the device's button: it asks for a code, and shows it with the program of
 * `pairing.show`, or in the log when there is none. The program may run as long as the code holds; it is killed then, or
 * when a newer code takes its place.
 */
export function pairingButton({ pairing, config, clock, log, signal }: PairingButtonOptions): () => void {
  let showing = new AbortController();
  return () => {
    log.info('pairing.asked');
    void pairing.ask().then((answer) => {
      if (signal.aborted) return;
      if (answer.kind !== 'code') log.warn(`pairing.${answer.kind}`, { ...answer, kind: undefined });
      else void show(answer);
    });
  };

  async function show({ code, expiresAt }: Extract<PairingAnswer, { kind: 'code' }>): Promise<void> {
    showing.abort();
    showing = new AbortController();
    const expires = new Date(expiresAt).toISOString();
    if (config.show === undefined) {
      log.info('pairing.code', { message: 'type it into the app', code, expiresAt: expires });
      return;
    }
    const since = clock.uptime();
    const stop = AbortSignal.any([showing.signal, signal]);
    log.info('pairing.shown', { expiresAt: expires });
    try {
      await runProgram({
        command: config.show,
        environment: {
          THINGSTEAD_PAIRING_CODE: code,
          THINGSTEAD_PAIRING_EXPIRES_AT: expires,
          THINGSTEAD_PAIRING_CONTENT: pairingContent(code, config.url),
        },
        timeoutMs: SHOWN_MS,
        maxBytes: MAX_BYTES,
        excess: 'drop',
        ...{ clock, signal: stop },
      });
    } catch (error) {
      if (stop.aborted || clock.uptime() - since >= SHOWN_MS) return;
      const message = 'the program of pairing.show has failed; nobody has seen the code';
      log.error('pairing.not_shown', { message, reason: messageOf(error) });
    }
  }
}
