import type { DescribedThing, DeviceSettings, OnboardingSettings } from '@thingstead/contracts/onboarding';

export interface RegisteredThing {
  readonly type: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Rises with every change. */
  readonly version: number;
}

/** The registry of AWS IoT. */
export interface Registry {
  /** Undefined when there is none of this name. */
  thing(name: string): Promise<RegisteredThing | undefined>;
  /** Sets these attributes; others and the thing's type stay. False when the thing was changed since `version`. */
  setAttributes(name: string, attributes: Readonly<Record<string, string>>, version: number): Promise<boolean>;
}

/** The descriptions in the things table. */
export interface Descriptions {
  /** The last one, by a consistent read; undefined when there is none. */
  last(thing: string): Promise<DescribedThing | undefined>;
  /**
   * Replaces the last one, if that arrived earlier; false if not. With `dueAt` (epoch milliseconds), the thing is looked for
   * from then on, unless it is looked for already. No other member of the row is touched.
   */
  write(description: DescribedThing, dueAt: number | undefined): Promise<boolean>;
}

/** The classic shadows of things. */
export interface Shadows {
  /** Makes the shadow if there is none; what there is stays as it is. */
  createIfNone(thing: string, reported: Readonly<Record<string, string>>): Promise<void>;
}

/** The answers to a device. One answer may come twice. */
export interface Answers {
  accepted(thing: string, id: string | undefined, settings: DeviceSettings): Promise<void>;
  rejected(thing: string, id: string | undefined, reason: string): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  accepted(description: { readonly thing: string; readonly superseded: boolean }): void;
  rejected(rejection: { readonly thing: string; readonly reason: string }): void;
  /** The registry allows no more attributes for this thing; its row has all that it said. */
  attributesLeftOut(thing: string, names: readonly string[]): void;
}

export interface Ports {
  readonly registry: Registry;
  readonly descriptions: Descriptions;
  readonly shadows: Shadows;
  readonly answers: Answers;
  readonly reports: Reports;
  readonly settings: OnboardingSettings;
  /** Epoch milliseconds. */
  now(): number;
}
