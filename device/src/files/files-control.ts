/** What other processes of this user may ask of the agent's files, over its control socket. */
import * as v from 'valibot';
import { messageOf } from '../configuration-error.ts';
import type { OutgoingFiles, OutgoingNews } from './outgoing-files.ts';

export const FilesRequest = v.variant('ask', [
  /** The file stays where it is; the agent reads it, so its user must be able to. `path` is absolute. */
  v.strictObject({ ask: v.literal('files-send'), path: v.string(), name: v.string(), contentType: v.string() }),
  v.strictObject({ ask: v.literal('files-cancel'), id: v.string() }),
]);
export type FilesRequest = v.InferOutput<typeof FilesRequest>;

/** Lines of the answer to `files-send`, until one that is final; to `files-cancel` one line. */
export const FilesAnswer = v.variant('kind', [
  v.object({ kind: v.literal('begun'), id: v.string() }),
  /** Encrypted bytes that S3 has. */
  v.object({ kind: v.literal('progress'), id: v.string(), bytes: v.number(), of: v.number() }),
  v.object({ kind: v.literal('waits'), id: v.string(), reason: v.string() }),
  v.object({ kind: v.literal('stored'), id: v.string() }),
  v.object({ kind: v.literal('given-up'), id: v.string(), reason: v.string() }),
  v.object({ kind: v.literal('cancelling') }),
  v.object({ kind: v.literal('refused'), reason: v.string() }),
]);
export type FilesAnswer = v.InferOutput<typeof FilesAnswer>;

export function isFinal({ kind }: FilesAnswer): boolean {
  return kind !== 'begun' && kind !== 'progress' && kind !== 'waits';
}

/** Answers in as many lines as it takes; `gone` resolves when nobody listens any more, which ends no transfer. */
export async function serveFiles(
  request: FilesRequest,
  outgoing: OutgoingFiles | undefined,
  write: (answer: FilesAnswer) => void,
  gone: Promise<void>,
): Promise<void> {
  if (!outgoing) {
    write({ kind: 'refused', reason: 'the agent sends no files: its configuration has no "files"' });
    return;
  }
  if (request.ask === 'files-cancel') {
    const known = outgoing.cancel(request.id);
    write(known ? { kind: 'cancelling' } : { kind: 'refused', reason: `there is no transfer ${request.id}` });
    return;
  }
  await new Promise<void>((resolve) => {
    const early: [string, OutgoingNews][] = [];
    let ours: string | undefined;
    const hear = (id: string, news: OutgoingNews): void => {
      if (ours === undefined) early.push([id, news]);
      if (ours !== id) return;
      write({ ...news, id });
      if (isFinal({ ...news, id })) end();
    };
    const stop = outgoing.onNews(hear);
    const end = (): void => {
      stop();
      resolve();
    };
    void gone.then(end);
    outgoing.send(request.path, request.name, request.contentType).then(
      (id) => {
        ours = id;
        write({ kind: 'begun', id });
        for (const each of early) hear(...each);
      },
      (error) => {
        write({ kind: 'refused', reason: messageOf(error) });
        end();
      },
    );
  });
}
