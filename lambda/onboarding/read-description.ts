import { Description, type DescriptionEvent } from '@thingstead/contracts/onboarding';
import { siteOf } from '@thingstead/contracts/things';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import { readMessage } from '../rules/device-message.ts';

/** `id` comes back in the answer, also when the rest cannot be read. */
export type ReadDescription =
  | { readonly ok: true; readonly id: string | undefined; readonly value: Omit<Description, 'id'> }
  | { readonly ok: false; readonly id: string | undefined; readonly reason: string };

const Named = v.object({ id: Description.entries.id });

/** Reads what a device sent. The reason of a refusal names each wrong member and what would be right. */
export function readDescription({ thing, payload }: DescriptionEvent): ReadDescription {
  const message = readMessage(payload);
  if (message === undefined) return { ok: false, id: undefined, reason: 'the message is no JSON in UTF-8' };
  const named = validate(Named, message);
  const id = named.ok ? named.value.id : undefined;
  const read = validate(Description, message);
  if (!read.ok) return { ok: false, id, reason: read.reason };
  const { id: _, ...value } = read.value;
  const reason = wrongGateway(thing, value.gateway);
  return reason === undefined ? { ok: true, id, value } : { ok: false, id, reason };
}

/**
 * What is told about a thing is told with its gateway, to those who may see the gateway: a device must not put itself among
 * the things of others.
 */
function wrongGateway(thing: string, gateway: string | undefined): string | undefined {
  if (gateway === undefined) return undefined;
  if (gateway === thing) return 'gateway: a thing is not its own gateway; leave the member out';
  const site = siteOf(thing);
  if (site === undefined) return `gateway: ${thing} belongs to no site, and only things of a site have a gateway`;
  if (siteOf(gateway) !== site)
    return `gateway: must be a thing of the site ${site}, with a name that begins with ${site}-`;
  return undefined;
}
