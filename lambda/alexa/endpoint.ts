import type { VoiceThingRow } from '@thingstead/contracts/voice';
import type { Access } from '../http/request.ts';
import { capabilitiesOf, INTERFACES } from './capabilities.ts';

const MAX_TEXT = 128;

/** A thing as Alexa's discovery knows it. */
export interface Endpoint {
  readonly endpointId: string;
  readonly friendlyName: string;
  readonly manufacturerName: string;
  readonly description: string;
  readonly displayCategories: readonly string[];
  readonly additionalAttributes: Readonly<Record<string, string>>;
  readonly cookie: Readonly<Record<string, string>>;
  readonly capabilities: readonly object[];
}

/**
 * https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html: the endpoint of a thing for a person who may see
 * it; undefined when the thing has nothing that Alexa can use. The id is the thing's name, so it stays.
 */
export function endpointOf(row: VoiceThingRow, { visibleFrom }: Pick<Access, 'visibleFrom'>): Endpoint | undefined {
  const capabilities = capabilitiesOf(row);
  if (capabilities.length === 0) return undefined;
  const { thing, model, serial, firmwareVersion, label, labelledFor } = row;
  const offered = capabilities.map(({ member, sensor }) => {
    const { namespace, property } = INTERFACES[member];
    return capability(namespace, property, sensor === undefined);
  });
  const categories = capabilities.map(({ member }) => INTERFACES[member].category);
  return {
    endpointId: thing,
    friendlyName: ((labelledFor ?? 0) >= visibleFrom ? label : undefined) ?? thing,
    manufacturerName: 'Thingstead',
    description: `${model}, connected by Thingstead`.slice(0, MAX_TEXT),
    // What can be dimmed is a light, and no switch besides.
    displayCategories: categories.filter((each) => each !== 'SWITCH' || !categories.includes('LIGHT')),
    additionalAttributes: { manufacturer: 'Thingstead', model, serialNumber: serial, firmwareVersion },
    cookie: {},
    capabilities: [
      { type: 'AlexaInterface', interface: 'Alexa', version: '3' },
      ...offered,
      capability('Alexa.EndpointHealth', 'connectivity', true),
    ],
  };
}

/** `proactivelyReported` only of what is: readings of sensors go to the telemetry store, and not to Alexa. */
function capability(name: string, property: string, proactivelyReported: boolean): object {
  return {
    ...{ type: 'AlexaInterface', interface: name, version: '3' },
    properties: { supported: [{ name: property }], proactivelyReported, retrievable: true },
  };
}
