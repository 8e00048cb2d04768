/** Registry, things table, shadows and a device's ear in memory, for the domain of on-boarding. Every call can be disturbed. */
import type { DescribedThing, DescriptionEvent, OnboardingSettings } from '@thingstead/contracts/onboarding';
import type { Ports, RegisteredThing } from '../../lambda/onboarding/ports.ts';

export const THING = 'macdonald-station';
export const NOW = 1_795_000_000_000;

export const SAID = {
  model: 'weather-station',
  hardwareRevision: 'B',
  serial: 'WS-0042',
  firmwareVersion: '1.4.0',
  sensors: [{ name: 'temperature', unit: 'Cel' }],
};

/** What the rule hands over when THING has sent this. */
export function event(message: unknown, at = NOW, thing = THING): DescriptionEvent {
  return { thing, at, payload: Buffer.from(JSON.stringify(message)).toString('base64') };
}

export class World {
  thing: RegisteredThing | undefined = { type: 'station', attributes: { field: 'north' }, version: 1 };
  row: DescribedThing | undefined;
  due: number | undefined;
  shadow: Readonly<Record<string, unknown>> | undefined;
  settings: OnboardingSettings = { thingTypes: {} };
  readonly answers: unknown[] = [];
  readonly reported: unknown[] = [];
  /** Called before and after every call of a port; what it throws or awaits happens there. */
  disturb: (point: string) => void | Promise<void> = () => {};

  ports(): Ports {
    const call = async <T>(name: string, effect: () => T): Promise<T> => {
      await this.disturb(`before ${name}`);
      const result = effect();
      await this.disturb(`after ${name}`);
      return result;
    };
    return {
      registry: {
        thing: () => call('thing', () => this.thing),
        setAttributes: (_, attributes, version) =>
          call('setAttributes', () => {
            if (this.thing?.version !== version) return false;
            this.thing = {
              ...this.thing,
              attributes: { ...this.thing.attributes, ...attributes },
              version: version + 1,
            };
            return true;
          }),
      },
      descriptions: {
        last: () => call('last', () => this.row),
        write: (description, dueAt) =>
          call('write', () => {
            if (this.row && this.row.describedAt >= description.describedAt) return false;
            this.row = description;
            this.due ??= dueAt;
            return true;
          }),
      },
      shadows: {
        createIfNone: (_, reported) =>
          call('createIfNone', () => {
            this.shadow ??= reported;
          }),
      },
      answers: {
        accepted: (_, id, settings) => call('accepted', () => void this.answers.push({ accepted: id, settings })),
        rejected: (_, id, reason) => call('rejected', () => void this.answers.push({ rejected: id, reason })),
      },
      reports: {
        accepted: ({ superseded }) => void this.reported.push(superseded ? 'superseded' : 'accepted'),
        rejected: () => void this.reported.push('rejected'),
        attributesLeftOut: (_, names) => void this.reported.push(`left out ${names}`),
      },
      settings: this.settings,
      now: () => NOW,
    };
  }
}
