/** Loaded first into every process of a test run (`node --import`): what it knows of secrets, and what it puts out. */
import { createRequire } from 'node:module';
import { keepRemovedFiles } from './keep-removed-files.ts';
import { noteChildren } from './note-children.ts';
import { notePrivateKeys } from './note-private-keys.ts';

if (process.env.THINGSTEAD_TEST_SECRETS && process.getBuiltinModule('node:worker_threads').isMainThread) {
  notePrivateKeys();
  noteChildren();
  keepRemovedFiles();
  if (process.argv[1]?.endsWith('local/src/main.ts')) {
    const { noteRuntime } = createRequire(import.meta.url)('./note-runtime.ts') as typeof import('./note-runtime.ts');
    noteRuntime();
  }
}
