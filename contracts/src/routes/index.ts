/** The REST API: all its routes, by the function that answers them. */
import { accessRoutes } from './access.ts';
import { commandsRoutes } from './commands.ts';
import { filesRoutes } from './files.ts';
import { firmwareRoutes } from './firmware.ts';
import { pairingRoutes } from './pairing.ts';
import { rolloutsRoutes } from './rollouts.ts';
import type { Route } from './route.ts';
import { thingsRoutes } from './things.ts';

export const ROUTES = {
  access: accessRoutes,
  pairing: pairingRoutes,
  things: thingsRoutes,
  commands: commandsRoutes,
  files: filesRoutes,
  firmware: firmwareRoutes,
  rollouts: rolloutsRoutes,
} as const satisfies Readonly<Record<string, Readonly<Record<string, Route>>>>;

/** Names of the functions that answer routes. */
export type RouteGroup = keyof typeof ROUTES;
