import { type ChannelsAnswer, ChannelsRequest } from '@thingstead/contracts/notifications';
import { validate } from '@thingstead/contracts/validate';
import { deleteChannel, forgetPerson, listChannels, putChannel, refusal } from './channels.ts';
import type { Ports } from './ports.ts';

/** What a caller gets to see of an unexpected error; the log has the rest. */
export class ChannelsFailedError extends Error {
  override readonly name = 'ChannelsFailedError';
}

/** The handler of direct invocations. Expected failures are answers. @throws ChannelsFailedError for all others */
export function createHandler(
  ports: Ports & { failed(action: string, error: unknown): void },
): (event: unknown) => Promise<ChannelsAnswer> {
  return async (event) => {
    const request = validate(ChannelsRequest, event);
    if (!request.ok) return refusal('invalid-request', request.reason);
    try {
      return await act(request.value, ports);
    } catch (error) {
      ports.failed(request.value.action, error);
      throw new ChannelsFailedError(`${request.value.action} failed; the log of the function says why`);
    }
  };
}

async function act(request: ChannelsRequest, ports: Ports): Promise<ChannelsAnswer> {
  const { records, maintenance } = ports;
  const { person } = request;
  switch (request.action) {
    case 'put-channel':
      return putChannel(person, request.channel, ports);
    case 'delete-channel':
      return deleteChannel(person, request.id, ports);
    case 'list-channels':
      return listChannels(person, ports);
    case 'put-preferences':
      await records.putPreferences(person, request.thing, request.preferences);
      return { ok: true };
    case 'get-preferences': {
      const { profile, things } = await records.person(person);
      return { ok: true, preferences: profile.preferences ?? {}, things };
    }
    case 'watch':
      await records.watch(request.target, person);
      return { ok: true };
    case 'unwatch':
      await records.unwatch(request.target, person);
      return { ok: true };
    case 'forget-person':
      return forgetPerson(person, ports);
    case 'mute-thing': {
      const known = await maintenance.mute(request.thing, request.until ?? undefined, person);
      return known ? { ok: true } : refusal('no-such-thing', `there is no thing ${request.thing}`);
    }
  }
}
