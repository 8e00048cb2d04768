import { firstCommandId } from '@thingstead/contracts/command-store';
import { CommandId } from '@thingstead/contracts/commands';
import { reaches } from '@thingstead/contracts/grants';
import type { commandsRoutes } from '@thingstead/contracts/routes/commands';
import { validate } from '@thingstead/contracts/validate';
import { type RouteHandlers, refusal } from '../http/request.ts';
import { viewOf } from './command-view.ts';
import { give } from './give.ts';
import type { Ports } from './ports.ts';

const DEFAULT_LIMIT = 25;

/** What answers the routes of commands. Commands of an earlier owner's time are not there for those who came later. */
export function commandsHandlers(ports: Ports): RouteHandlers<typeof commandsRoutes> {
  const { commands, given } = ports;
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
        : refusal(404, `there is no thing ${params.thing}, or it is not yours`);
    },

    async listCommands({ access, params, query }) {
      const { cursor, limit = DEFAULT_LIMIT } = query;
      if (cursor !== undefined && !validate(CommandId, cursor).ok) {
        return refusal(400, 'query.cursor must be the cursor of an earlier answer');
      }
      const range = { from: firstCommandId(access.visibleFrom), before: cursor, limit };
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
