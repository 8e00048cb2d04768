import { PairingEvent } from '@thingstead/contracts/pairing';
import { deviceMessageHandler, type Failed } from '../rules/device-message.ts';
import { giveCode } from './domain.ts';
import type { Ports } from './ports.ts';

/** The handler of the rule on requests for codes. */
export function createHandler({ failed, ...ports }: Ports & { readonly failed: Failed }) {
  return deviceMessageHandler(PairingEvent, (event) => giveCode(event, ports), failed);
}
