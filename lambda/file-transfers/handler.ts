import { FileEvent } from '@thingstead/contracts/files';
import { validate } from '@thingstead/contracts/validate';
import { deviceMessageHandler, InvalidEventError } from '../rules/device-message.ts';
import { ObjectEvent, onObjectEvent } from './object-event.ts';
import type { Ports } from './ports.ts';
import { onRequest } from './request.ts';

/** The handler of the rule on devices' messages and of the rule on objects. What it throws, Lambda repeats twice and puts aside. */
export function createHandler(ports: Ports): (event: unknown) => Promise<void> {
  const onMessage = deviceMessageHandler(
    FileEvent,
    (event) => onRequest(event, ports),
    (error) => ports.reports.failed('request', error),
  );
  return async (event) => {
    if (!isObjectEvent(event)) return onMessage(event);
    try {
      const valid = validate(ObjectEvent, event);
      if (!valid.ok) throw new InvalidEventError(`this is no event of the bucket: ${valid.reason}`);
      await onObjectEvent(valid.value, ports);
    } catch (error) {
      ports.reports.failed('object', error);
      throw error;
    }
  };
}

function isObjectEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'detail-type' in event;
}
