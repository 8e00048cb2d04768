import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import { invalidRequest, optionNotEmulated } from '../control/errors.ts';

/** Kinds of events that can be switched on (https://docs.aws.amazon.com/iot/latest/developerguide/iot-events.html). */
const TYPES = [
  'THING',
  'THING_GROUP',
  'THING_GROUP_HIERARCHY',
  'THING_GROUP_MEMBERSHIP',
  'THING_TYPE',
  'THING_TYPE_ASSOCIATION',
] as const;
/** Those of services and resources that publish no events here. */
const NOT_EMULATED = ['CA_CERTIFICATE', 'CERTIFICATE', 'JOB', 'JOB_EXECUTION', 'POLICY'];

export type RegistryEventType = (typeof TYPES)[number];

interface Times {
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly changedAt: number;
}

interface Kept {
  readonly enabled: ReadonlySet<string>;
  readonly times: Times | undefined;
}

/** Which registry events the account wants; none at first. */
export class EventConfigurations {
  readonly #enabled = new Set<string>();
  #times: Times | undefined;

  /** Undefined until something was configured. */
  get times(): Times | undefined {
    return this.#times;
  }

  get all(): Readonly<Record<string, boolean>> {
    return Object.fromEntries([...TYPES, ...NOT_EMULATED].map((type) => [type, this.#enabled.has(type)]));
  }

  isEnabled(type: RegistryEventType): boolean {
    return this.#enabled.has(type);
  }

  *save(): Generator<KeptRecord> {
    yield ['eventConfigurations', { enabled: this.#enabled, times: this.#times } satisfies Kept];
  }

  restore(records: KeptRecords): void {
    const kept = records.get<Kept>('eventConfigurations');
    for (const type of kept?.enabled ?? []) this.#enabled.add(type);
    this.#times = kept?.times;
  }

  /** Types that are not named stay as they are. Throws InvalidRequestException; NotEmulated names the type. */
  update(given: Readonly<Record<string, boolean>>, now: number): void {
    for (const [type, enabled] of Object.entries(given)) {
      if (NOT_EMULATED.includes(type)) {
        if (enabled) throw optionNotEmulated(`events of type ${type}`);
      } else if (!TYPES.some((known) => known === type)) {
        throw invalidRequest(`there is no event type ${type}; there are ${[...TYPES, ...NOT_EMULATED].join(', ')}`);
      }
    }
    for (const [type, enabled] of Object.entries(given)) {
      if (enabled) this.#enabled.add(type);
      else this.#enabled.delete(type);
    }
    this.#times = { createdAt: this.#times?.createdAt ?? now, changedAt: now };
  }
}
