import { chmodSync, closeSync, constants, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

export type AgentContact =
  | { readonly kind: 'open'; readonly socket: Socket }
  /** Nobody listens. */
  | { readonly kind: 'absent' }
  /** This user may not speak to the agent, if one runs. */
  | { readonly kind: 'denied' };

/**
 * Connects to the agent that runs on an outbox folder: it listens on a socket there. The system forgets the listener with the
 * process, however that ends, which it would not do with a file that holds a process id.
 */
export async function contactAgent(folder: string): Promise<AgentContact> {
  let directory: number;
  try {
    directory = openSync(folder, constants.O_DIRECTORY);
  } catch (error) {
    return { kind: contactFailure(error as NodeJS.ErrnoException) };
  }
  const socket = connect(socketIn(directory));
  const contact = await new Promise<AgentContact>((resolve) => {
    socket.once('connect', () => resolve({ kind: 'open', socket }));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve({ kind: contactFailure(error) }));
  });
  closeSync(directory);
  return contact;
}

/** ENOENT, ECONNREFUSED: there is no folder, no socket, or nobody listens on it any more. */
function contactFailure({ code }: NodeJS.ErrnoException): 'absent' | 'denied' {
  return code === 'EACCES' ? 'denied' : 'absent';
}

/** Whether an agent runs on an outbox folder. */
export async function isAgentRunning(folder: string): Promise<boolean> {
  const contact = await contactAgent(folder);
  if (contact.kind === 'open') contact.socket.destroy();
  return contact.kind !== 'absent';
}

/**
 * Takes the folder for this process. Where the lock cannot be made the agent runs without: a disk that refuses must not keep
 * it from sampling.
 *
 * @param serve speaks with whoever connects: processes of the same user, and root.
 * @returns gives it back. @throws Error when another agent has it.
 */
export async function lockFolder(
  folder: string,
  serve: (socket: Socket) => void = (socket) => socket.destroy(),
): Promise<() => void> {
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
  const server = createServer(serve);
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
      // The folder is the user's own (0700) unless somebody else has made it.
      chmodSync(file, 0o600);
      resolve(true);
    });
  });
}

/** By way of the open folder: Linux takes 107 bytes for the path of a socket, and folders may be deeper. */
function socketIn(directory: number): string {
  return `/proc/self/fd/${directory}/agent.sock`;
}
