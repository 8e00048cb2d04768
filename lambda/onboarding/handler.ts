import { DescriptionEvent } from '@thingstead/contracts/onboarding';
import { deviceMessageHandler, type Failed } from '../rules/device-message.ts';
import { describe } from './domain.ts';
import type { Ports } from './ports.ts';

/** The handler of the rule on descriptions. */
export function createHandler({ failed, ...ports }: Ports & { readonly failed: Failed }) {
  return deviceMessageHandler(DescriptionEvent, (event) => describe(event, ports), failed);
}
