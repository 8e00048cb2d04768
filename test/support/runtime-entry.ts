/** Where the bundle of the local runtime begins: what notes secrets is in the same bundle, since it wraps the runtime's own classes. */
import { FOLDER_VARIABLE } from './secrets/notes.ts';

if (process.env[FOLDER_VARIABLE]) {
  const { noteRuntime } = await import('./secrets/note-runtime.ts');
  noteRuntime();
}
await import('../../local/src/main.ts');
