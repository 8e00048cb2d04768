import { ROUTES } from '@thingstead/contracts/routes';
import { accessTo } from '../authorization/access.ts';
import { createRoutesHandler, type RoutesHandlerPorts } from '../http/routes-handler.ts';
import { getThing, patchThing } from './get-thing.ts';
import { listFleet } from './list-fleet.ts';
import { listThings } from './list-things.ts';
import type { Ports } from './ports.ts';
import { getState, patchState } from './state.ts';
import { getTelemetry } from './telemetry.ts';

/** The handler of the routes about things. */
export function createHandler({ failed, ...ports }: Ports & Pick<RoutesHandlerPorts, 'failed'>) {
  return createRoutesHandler(
    ROUTES.things,
    {
      listThings: (request) => listThings(request, ports),
      listFleet: (request) => listFleet(request, ports),
      getThing: (request) => getThing(request, ports),
      patchThing: (request) => patchThing(request, ports),
      getTelemetry: (request) => getTelemetry(request, ports),
      getState: (request) => getState(request, ports),
      patchState: (request) => patchState(request, ports),
    },
    { access: (person, target) => accessTo(person, target, ports), failed },
  );
}
