import { validate } from '@thingstead/contracts/validate';
import type { Directive } from '@thingstead/contracts/voice';
import * as v from 'valibot';
import type { Failure } from '../alexa/messages.ts';

/** What is asked of an endpoint. */
export type Operation =
  | { readonly kind: 'report' }
  | { readonly kind: 'set'; readonly member: 'power'; readonly value: boolean }
  | { readonly kind: 'set'; readonly member: 'brightness'; readonly value: number }
  /** Added to what the brightness is. */
  | { readonly kind: 'adjust'; readonly member: 'brightness'; readonly delta: number };

export type SetOperation = Exclude<Operation, { readonly kind: 'report' }>;

type Read = { readonly ok: true; readonly value: Operation } | { readonly ok: false; readonly failure: Failure };

const OPERATIONS: Readonly<Record<string, (payload: unknown) => Read>> = {
  'Alexa.ReportState': () => ({ ok: true, value: { kind: 'report' } }),
  'Alexa.PowerController.TurnOn': () => ({ ok: true, value: { kind: 'set', member: 'power', value: true } }),
  'Alexa.PowerController.TurnOff': () => ({ ok: true, value: { kind: 'set', member: 'power', value: false } }),
  'Alexa.BrightnessController.SetBrightness': (payload) => {
    const read = integer(payload, 'brightness', 0, 100);
    return read.ok ? { ok: true, value: { kind: 'set', member: 'brightness', value: read.number } } : read;
  },
  'Alexa.BrightnessController.AdjustBrightness': (payload) => {
    const read = integer(payload, 'brightnessDelta', -100, 100);
    return read.ok ? { ok: true, value: { kind: 'adjust', member: 'brightness', delta: read.number } } : read;
  },
};

/** Directives to endpoints that are supported. */
export const DIRECTIVES = Object.keys(OPERATIONS);

/** Reads a directive to an endpoint. */
export function operationOf({ header, payload }: Directive): Read {
  const name = `${header.namespace}.${header.name}`;
  const read = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (read) return read(payload);
  return { ok: false, failure: { type: 'INVALID_DIRECTIVE', message: `${name} is not supported` } };
}

function integer(
  payload: unknown,
  member: string,
  minimumValue: number,
  maximumValue: number,
): { readonly ok: true; readonly number: number } | { readonly ok: false; readonly failure: Failure } {
  const read = validate(v.object({ [member]: v.pipe(v.number(), v.integer()) }), payload);
  if (!read.ok) return { ok: false, failure: { type: 'INVALID_VALUE', message: read.reason } };
  const number = read.value[member] ?? 0;
  if (number >= minimumValue && number <= maximumValue) return { ok: true, number };
  const validRange = { minimumValue, maximumValue };
  return { ok: false, failure: { type: 'VALUE_OUT_OF_RANGE', message: `${member} is ${number}`, validRange } };
}
