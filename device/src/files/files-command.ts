/** `thingstead-agent files send|cancel`: asks the agent that runs. */
import path from 'node:path';
import { type AskedAgent, askAgentForFiles } from '../control-socket.ts';
import { type FilesAnswer, isFinal } from './files-control.ts';

/** As in sysexits.h: nobody answers, the agent or the cloud says no, wrong use. */
const EX_UNAVAILABLE = 69;
const EX_NOPERM = 77;
const EX_USAGE = 64;

export interface FilesCommandOptions {
  /** Of the outbox. */
  readonly folder: string;
  /** After `files`. */
  readonly words: readonly string[];
  readonly json: boolean;
  /** The terminal can write a line again. */
  readonly terminal: boolean;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** @returns the exit code: 0, 64 wrong use, 69 when no agent answers, 77 when it or the cloud says no. */
export async function filesCommand(options: FilesCommandOptions): Promise<number> {
  const { folder, words, json, complain } = options;
  const [verb, what = '', ...more] = words;
  if ((verb !== 'send' && verb !== 'cancel') || what === '' || more.length > 0) {
    complain('files send FILE, or files cancel ID\n');
    return EX_USAGE;
  }
  const show = shower(options);
  const file = path.resolve(what);
  const asked = await askAgentForFiles(
    folder,
    verb === 'cancel'
      ? { ask: 'files-cancel', id: what }
      : { ask: 'files-send', path: file, name: path.basename(file), contentType: 'application/octet-stream' },
    show,
  );
  if (asked.kind === 'answered') {
    const { last } = asked;
    if (last?.kind === 'stored' || last?.kind === 'cancelling') return 0;
    if (last && isFinal(last)) return EX_NOPERM;
  }
  const reason = WHY[asked.kind];
  if (json) options.write(`${JSON.stringify({ kind: 'unanswered', reason })}\n`);
  else complain(`${reason}\n`);
  return EX_UNAVAILABLE;
}

const WHY: Readonly<Record<AskedAgent['kind'], string>> = {
  absent: 'no agent runs: put the file into the folder of outgoing files, or start the agent',
  denied: "this user may not speak to the agent: ask as the agent's user (sudo -u thingstead thingstead-agent …)",
  answered: 'the agent does not answer any more; it goes on with the transfer: see its log',
};

function shower({ json, terminal, write, complain }: FilesCommandOptions): (answer: FilesAnswer) => void {
  if (json) return (answer) => write(`${JSON.stringify(answer)}\n`);
  const again = terminal ? '\r\u001b[K' : '';
  const end = terminal ? '' : '\n';
  return (answer) => {
    switch (answer.kind) {
      case 'begun':
        return write(`${again}transfer ${answer.id}\n`);
      case 'progress':
        return write(`${again}${bar(answer.bytes, answer.of)}${end}`);
      case 'waits':
        return write(`${again}waits: ${answer.reason}${end}`);
      case 'stored':
        return write(`${again}stored\n`);
      case 'cancelling':
        return write('it is being cancelled\n');
      case 'given-up':
      case 'refused':
        return complain(`${again}It was not sent: ${answer.reason}.\n`);
    }
  };
}

/** `[##########----------]  50 %  100.0 of 200.0 MB` */
function bar(bytes: number, of: number): string {
  const share = of === 0 ? 1 : bytes / of;
  const full = Math.round(share * 20);
  const megabytes = (count: number): string => (count / 1e6).toFixed(1);
  const percent = String(Math.round(share * 100)).padStart(3);
  return `[${'#'.repeat(full)}${'-'.repeat(20 - full)}] ${percent} %  ${megabytes(bytes)} of ${megabytes(of)} MB`;
}
