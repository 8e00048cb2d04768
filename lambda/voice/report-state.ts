import type { VoiceThingRow } from '@thingstead/contracts/voice';
import { capabilitiesOf } from '../alexa/capabilities.ts';
import { type AnswerTo, answer, type Message, type Property } from '../alexa/messages.ts';
import { connectivity, propertyOf } from '../alexa/properties.ts';
import type { Authorized } from './authorize.ts';
import type { Ports, ShadowDocument } from './ports.ts';

/** What is in the shadow, and whether the thing is reachable. */
export function shadowProperties(
  row: VoiceThingRow,
  shadow: ShadowDocument | undefined,
  now: number,
): readonly Property[] {
  const properties = capabilitiesOf(row)
    .filter(({ sensor }) => sensor === undefined)
    .map(({ member }) => propertyOf(member, shadow?.reported.get(member)));
  return [...properties.filter((each) => each !== undefined), connectivity(row.presence?.connected === true, now)];
}

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-statereport.html: all that is retrievable and known. */
export async function reportState({ row, access }: Authorized, to: AnswerTo, ports: Ports): Promise<Message> {
  const { thing } = row;
  const shadow = await ports.shadows.read(thing);
  const read = capabilitiesOf(row).map(async ({ member, sensor }) => {
    if (sensor === undefined) return undefined;
    const reading = await ports.readings.latest(thing, sensor);
    if (!reading) return undefined;
    // What was measured or arrived earlier belongs to whoever owned the thing before.
    return Math.min(reading.at, reading.receivedAt) >= access.visibleFrom ? propertyOf(member, reading) : undefined;
  });
  const readings = (await Promise.all(read)).filter((each) => each !== undefined);
  return answer(['Alexa', 'StateReport'], to, {}, [...readings, ...shadowProperties(row, shadow, ports.now())]);
}
