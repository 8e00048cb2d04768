import { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { Liveness } from '../liveness.ts';

const EVERY_MS = 2_000;

export interface LauncherLineOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly liveness: Liveness;
  /** The launcher is no more; another one may start another version at any time. */
  readonly gone: () => void;
}

/**
 * Tells the launcher, on the socket that it has given, that this version lives, as long as nothing is overdue. Without a launcher
 * nobody is told.
 *
 * @returns stops it.
 */
export function holdLauncherLine({ environment, clock, liveness, gone }: LauncherLineOptions): () => void {
  const { THINGSTEAD_LAUNCHER_FD: fd } = environment;
  if (!fd) return () => {};
  const socket = new Socket({ fd: Number(fd), readable: true, writable: true });
  let cancel = (): void => {};
  const say = (): void => {
    if (liveness.overdue().length === 0) socket.write('.');
    cancel = clock.after(EVERY_MS, say);
  };
  socket.on('error', () => {});
  socket.once('close', () => {
    cancel();
    gone();
  });
  socket.resume();
  socket.unref();
  say();
  return () => {
    cancel();
    socket.removeAllListeners('close');
    socket.destroy();
  };
}
