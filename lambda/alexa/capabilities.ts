import { VOICE_MEMBERS, type VoiceMember, type VoiceThingRow } from '@thingstead/contracts/voice';

/** Something of a thing that Alexa can know or change. */
export interface Capability {
  readonly member: VoiceMember;
  /** The sensor whose latest reading it is; undefined: it is a member of the shadow. */
  readonly sensor: string | undefined;
}

interface Interface {
  readonly namespace: string;
  readonly property: string;
  /** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html#display-categories */
  readonly category: string;
  /** The value for Alexa; undefined for one that means nothing there. */
  value(raw: unknown): unknown;
}

export const INTERFACES: Readonly<Record<VoiceMember, Interface>> = {
  power: {
    namespace: 'Alexa.PowerController',
    property: 'powerState',
    category: 'SWITCH',
    value: (raw) => choice(raw, 'ON', 'OFF'),
  },
  brightness: {
    namespace: 'Alexa.BrightnessController',
    property: 'brightness',
    category: 'LIGHT',
    value: (raw) => (typeof raw === 'number' && raw >= 0 && raw <= 100 ? Math.round(raw) : undefined),
  },
  temperature: {
    namespace: 'Alexa.TemperatureSensor',
    property: 'temperature',
    category: 'TEMPERATURE_SENSOR',
    value: (raw) => (typeof raw === 'number' ? { value: raw, scale: 'CELSIUS' } : undefined),
  },
  /** True is a closed contact; Alexa detects what is open. */
  contact: {
    namespace: 'Alexa.ContactSensor',
    property: 'detectionState',
    category: 'CONTACT_SENSOR',
    value: (raw) => choice(raw, 'NOT_DETECTED', 'DETECTED'),
  },
  motion: {
    namespace: 'Alexa.MotionSensor',
    property: 'detectionState',
    category: 'MOTION_SENSOR',
    value: (raw) => choice(raw, 'DETECTED', 'NOT_DETECTED'),
  },
};

/** Sensors send 1 and 0 as well. */
function choice(raw: unknown, whenTrue: string, whenFalse: string): string | undefined {
  if (raw === true || raw === 1) return whenTrue;
  return raw === false || raw === 0 ? whenFalse : undefined;
}

/**
 * What a thing's description offers. A capability that it names is a member of its shadow, whose changes are reported; a sensor
 * of that kind is looked up when Alexa asks.
 */
export function capabilitiesOf({ capabilities, sensors }: VoiceThingRow): readonly Capability[] {
  return VOICE_MEMBERS.flatMap((member): Capability[] => {
    if (capabilities.includes(member)) return [{ member, sensor: undefined }];
    const sensor = sensorFor(member, sensors);
    return sensor === undefined ? [] : [{ member, sensor }];
  });
}

/** An endpoint of Alexa has one thermometer: of several the one that is named so, or else the first. */
function sensorFor(member: VoiceMember, sensors: VoiceThingRow['sensors']): string | undefined {
  if (member === 'contact' || member === 'motion') return sensors.find(({ name }) => name === member)?.name;
  if (member !== 'temperature') return undefined;
  const inCelsius = sensors.filter(({ unit }) => unit === 'Cel').map(({ name }) => name);
  return inCelsius.find((name) => name === member) ?? inCelsius[0];
}
