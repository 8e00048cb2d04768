import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CommandStore } from '../../device/src/commands/command-store.ts';
import { nodeFileSystem } from '../../device/src/node-file-system.ts';

it('forgets the rest after a disk that has refused in between', () => {
  // GIVEN three commands, and a disk that takes the first of them and then refuses
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-commands-'));
  const ids = [1, 2, 3].map((number) => `01J${String(number).padStart(23, '0')}`);
  let removed = 0;
  const remove = (file: string): void => {
    removed += 1;
    if (removed === 2) throw new Error('EIO');
    nodeFileSystem.remove(file);
  };
  const store = new CommandStore({ ...nodeFileSystem, remove }, folder);
  for (const id of ids) store.keep({ id, name: 'open', expiresAt: 0, begun: 1, told: true });
  const last = ids.at(-1) ?? '';
  expect(() => store.forget(ids, last)).toThrow('EIO');

  // WHEN it is asked again
  store.forget(ids, last);

  // THEN
  expect(store.load()).toEqual({ records: [], damaged: [], forgotten: last });
  rmSync(folder, { recursive: true });
});
