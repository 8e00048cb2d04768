/** How another process of this user asks the agent that runs: one JSON line each way, over the socket of its lock. */
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { contactAgent } from './agent-lock.ts';
import { PairingAnswer } from './pairing/pairing.ts';

const Request = v.strictObject({ ask: v.literal('pairing') });
const Refused = v.object({ kind: v.literal('refused'), reason: v.string() });
const Answer = v.variant('kind', [PairingAnswer, Refused]);

/** More is no line of this protocol. */
const MAX_LINE = 4096;
/** More than the agent takes for any answer; a peer that stays silent is let go of. */
const TIMEOUT_MS = 60_000;

/** Speaks with whoever connects; for the lock of the agent. */
export function serveControl(ask: () => Promise<PairingAnswer>): (socket: Socket) => void {
  return (socket) => {
    void (async () => {
      const line = await readLine(socket);
      if (line === undefined) {
        socket.destroy();
        return;
      }
      const answer: v.InferOutput<typeof Answer> = v.is(Request, parse(line))
        ? await ask()
        : {
            kind: 'refused',
            reason: 'the agent that runs does not know this request: has it been upgraded, and not restarted?',
          };
      socket.end(`${JSON.stringify(answer)}\n`);
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
  socket.write(`${JSON.stringify({ ask: 'pairing' } satisfies v.InferOutput<typeof Request>)}\n`);
  const line = await answered;
  socket.destroy();
  const answer = v.safeParse(Answer, line === undefined ? undefined : parse(line));
  if (!answer.success) return { kind: 'unanswered', reason: 'the agent that runs does not answer: see its log' };
  const { output } = answer;
  return output.kind === 'refused' ? { kind: 'unanswered', reason: output.reason } : output;
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
