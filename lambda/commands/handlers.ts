import { firstCommandId } from '@thingstead/contracts/command-store';
import { CommandId } from '@thingstead/contracts/commands';
import { reaches } from '@thingstead/contracts/grants';
import type { commandsRoutes } from '@thingstead/contracts/routes/commands';
import { validate } from '@thingstead/contracts/validate';
import { isOnesOwn } from '../authorization/access.ts';
import { type Refusal, type RouteHandlers, refusal } from '../http/request.ts';
import { viewOf } from './command-view.ts';
import { give } from './give.ts';
import type { Ports } from './ports.ts';

const DEFAULT_LIMIT = 25;

/** What answers the routes of commands. Commands of an earlier owner's time are not there for those who came later. */
export function commandsHandlers(ports: Ports): RouteHandlers<typeof commandsRoutes> {
  const { commands, given, things } = ports;
  return {
    async giveCommand({ caller, access, params, headers, body }) {
      const authority = access.role !== undefined && reaches(access.role, 'controller') ? 'grant' : 'staff';
      const answer = await give(
        {
          ...{ thing: params.thing, name: body.name, payload: body.payload, ttlSeconds: body.ttlSeconds },
          ...{ person: caller.person, key: headers['idempotency-key'], authority },
        },
        ports,
      );
      if (answer.kind === 'accepted') return { ok: true, body: viewOf(answer.command) };
      return answer.kind === 'another'
        ? refusal(409, 'another command was given with this Idempotency-Key')
        : noSuchThing(params.thing);
    },

    async listCommands({ access, params, query }) {
      const { cursor, limit = DEFAULT_LIMIT } = query;
      if (!isOnesOwn(access) && !(await things.find(params.thing))) return noSuchThing(params.thing);
      if (cursor !== undefined && !validate(CommandId, cursor).ok) {
        return refusal(400, 'query.cursor must be the cursor of an earlier answer');
      }
      const from = firstCommandId(access.visibleFrom);
      // A cursor of an earlier time of possession: DynamoDB takes no range that ends before it begins.
      if (cursor !== undefined && cursor <= from) return { ok: true, body: { commands: [] } };
      const range = { from, before: cursor, limit };
      const { rows, more } = await given.list(params.thing, range);
      const last = rows.at(-1);
      return { ok: true, body: { commands: rows.map(viewOf), ...(more && last && { cursor: last.id }) } };
    },

    async getCommand({ access, params }) {
      const row = await commands.read(params.thing, params.command);
      return row && row.givenAt >= access.visibleFrom
        ? { ok: true, body: viewOf(row) }
        : refusal(404, `there is no command ${params.command} of ${params.thing}`);
    },
  };
}

function noSuchThing(thing: string): Refusal {
  return refusal(404, `there is no thing ${thing}, or it is not yours`);
}
