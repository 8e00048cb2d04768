/**
 * How another process of this user asks the agent that runs: one JSON line over the socket of its lock, and one in answer; as many as it
 * takes for a file.
 */
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { contactAgent } from './agent-lock.ts';
import { FilesAnswer, FilesRequest, isFinal, serveFiles } from './files/files-control.ts';
import type { OutgoingFiles } from './files/outgoing-files.ts';
import { PairingAnswer } from './pairing/pairing.ts';

const Request = v.variant('ask', [v.strictObject({ ask: v.literal('pairing') }), FilesRequest]);
const Refused = v.object({ kind: v.literal('refused'), reason: v.string() });
const Answer = v.variant('kind', [PairingAnswer, Refused]);

/** More is no line of this protocol. */
const MAX_LINE = 4096;
/** More than the agent takes for any answer; a peer that stays silent is let go of. */
const TIMEOUT_MS = 60_000;

export interface ControlOptions {
  readonly pairing: () => Promise<PairingAnswer>;
  /** Undefined when the agent has nothing to do with files. */
  readonly files: () => OutgoingFiles | undefined;
}

/** Speaks with whoever connects; for the lock of the agent. */
export function serveControl({ pairing, files }: ControlOptions): (socket: Socket) => void {
  return (socket) => {
    void (async () => {
      const line = await readLine(socket);
      if (line === undefined) {
        socket.destroy();
        return;
      }
      const write = (answer: v.InferOutput<typeof Answer> | FilesAnswer): void => {
        socket.write(`${JSON.stringify(answer)}\n`);
      };
      const request = v.safeParse(Request, parse(line));
      if (!request.success) {
        const reason = 'the agent that runs does not know this request: has it been upgraded, and not restarted?';
        write({ kind: 'refused', reason });
      } else if (request.output.ask === 'pairing') {
        write(await pairing());
      } else {
        // Nothing may be heard of a large file for long.
        socket.setTimeout(0);
        const gone = new Promise<void>((resolve) => socket.once('close', resolve));
        await serveFiles(request.output, files(), write, gone);
      }
      socket.end();
    })();
  };
}

export type ControlAnswer =
  | PairingAnswer
  /** Nobody listens. */
  | { readonly kind: 'absent' }
  /** This user may not ask. */
  | { readonly kind: 'denied' };

/** Asks the agent that runs on an outbox folder for a pairing code. Never rejects. */
export async function askAgent(folder: string): Promise<ControlAnswer> {
  const contact = await contactAgent(folder);
  if (contact.kind !== 'open') return contact;
  const { socket } = contact;
  const answered = readLine(socket);
  socket.write(`${JSON.stringify({ ask: 'pairing' } satisfies v.InferInput<typeof Request>)}\n`);
  const line = await answered;
  socket.destroy();
  const answer = v.safeParse(Answer, line === undefined ? undefined : parse(line));
  if (!answer.success) return { kind: 'unanswered', reason: 'the agent that runs does not answer: see its log' };
  const { output } = answer;
  return output.kind === 'refused' ? { kind: 'unanswered', reason: output.reason } : output;
}

export type AskedAgent =
  /** The last answer is final, unless the agent has ended before. */
  | { readonly kind: 'answered'; readonly last: FilesAnswer | undefined }
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied' };

/** Asks the agent that runs on an outbox folder about a file, and tells every answer as it comes. Never rejects. */
export async function askAgentForFiles(
  folder: string,
  request: FilesRequest,
  tell: (answer: FilesAnswer) => void,
): Promise<AskedAgent> {
  const contact = await contactAgent(folder);
  if (contact.kind !== 'open') return contact;
  const { socket } = contact;
  socket.on('error', () => {});
  socket.write(`${JSON.stringify(request satisfies v.InferInput<typeof Request>)}\n`);
  let last: FilesAnswer | undefined;
  try {
    for await (const line of createInterface({ input: socket })) {
      const answer = v.safeParse(FilesAnswer, parse(line));
      if (!answer.success) break;
      last = answer.output;
      tell(last);
      if (isFinal(last)) break;
    }
  } catch {
    // The agent has ended.
  }
  socket.destroy();
  return { kind: 'answered', last };
}

/** The first line; undefined when none comes. */
function readLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(TIMEOUT_MS, () => resolve(undefined));
    socket.on('error', () => resolve(undefined));
    socket.on('end', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end !== -1) resolve(text.slice(0, end));
      else if (text.length > MAX_LINE) resolve(undefined);
    });
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
