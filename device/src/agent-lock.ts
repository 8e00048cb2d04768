import { closeSync, constants, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';

/**
 * Whether an agent runs on an outbox folder: it listens on a socket there. The system forgets the listener with the process,
 * however that ends, which it would not do with a file that holds a process id.
 */
export async function isAgentRunning(folder: string): Promise<boolean> {
  let directory: number;
  try {
    directory = openSync(folder, constants.O_DIRECTORY);
  } catch {
    return false;
  }
  const socket = connect(socketIn(directory));
  const running = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    // EACCES: a socket that this user may not speak to. ENOENT, ECONNREFUSED: nobody listens.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES'));
  });
  socket.destroy();
  closeSync(directory);
  return running;
}

/**
 * Takes the folder for this process. Where the lock cannot be made the agent runs without: a disk that refuses must not keep
 * it from sampling.
 *
 * @returns gives it back. @throws Error when another agent has it.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  if (await isAgentRunning(folder)) {
    throw new Error(`another agent runs with ${folder}; two of them would spoil the outbox and throw each other out`);
  }
  let directory: number;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    directory = openSync(folder, constants.O_DIRECTORY);
  } catch {
    return () => {};
  }
  try {
    unlinkSync(socketIn(directory));
  } catch {
    // An agent that ended as it should leaves none.
  }
  const server = createServer((socket) => socket.destroy());
  const listening = await listen(server, socketIn(directory));
  return () => {
    if (listening) server.close();
    closeSync(directory);
  };
}

function listen(server: Server, file: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(file, () => {
      server.unref();
      resolve(true);
    });
  });
}

/** By way of the open folder: Linux takes 107 bytes for the path of a socket, and folders may be deeper. */
function socketIn(directory: number): string {
  return `/proc/self/fd/${directory}/agent.sock`;
}
