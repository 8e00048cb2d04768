import type { VoiceMember } from '@thingstead/contracts/voice';
import { INTERFACES } from './capabilities.ts';
import type { Property } from './messages.ts';

/** The clock of a shadow counts seconds. */
const UNCERTAINTY_MS = 1000;

/** A value as the thing reported it, and when: epoch milliseconds. */
export interface Sample {
  readonly value: unknown;
  readonly at: number;
}

/** The property for Alexa; undefined when the thing has not said, or something that means nothing to Alexa. */
export function propertyOf(member: VoiceMember, sample: Sample | undefined): Property | undefined {
  if (!sample) return undefined;
  const { namespace, property, value } = INTERFACES[member];
  const said = value(sample.value);
  return said === undefined ? undefined : at(sample.at, namespace, property, said);
}

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-endpointhealth.html */
export function connectivity(connected: boolean, now: number): Property {
  return at(now, 'Alexa.EndpointHealth', 'connectivity', { value: connected ? 'OK' : 'UNREACHABLE' });
}

function at(time: number, namespace: string, name: string, value: unknown): Property {
  const timeOfSample = new Date(time).toISOString();
  return { namespace, name, value, timeOfSample, uncertaintyInMilliseconds: UNCERTAINTY_MS };
}
