import * as v from 'valibot';
import { exactlyOne, Program, Text, TimeoutSeconds } from '../handlers/handler-config.ts';

const Bytes = v.pipe(v.number(), v.integer(), v.minValue(1));

/** Files to and from the device. Without it nothing of this is subscribed. */
export const FilesSchema = v.strictObject({
  /** Where files from the cloud appear, each whole and under its name. Without it the device takes none. */
  incoming: v.optional(Text),
  /** What is put here, by renaming it, is sent, and removed when the cloud has it. */
  outgoing: v.optional(Text),
  /** Larger files are neither taken nor sent. */
  maxBytes: v.optional(Bytes, 2 * 1024 ** 3),
  /** What stays free on the disks: a transfer waits until there is as much more as it needs. */
  minFreeBytes: v.optional(Bytes, 64 * 1024 ** 2),
  /** What runs for each file that has arrived; it gets `{ path, name, size }`. */
  handler: v.optional(
    v.pipe(
      v.strictObject({
        run: v.optional(Program),
        /** A JavaScript module; its default export is called with that and `{ id, signal }`. */
        module: v.optional(Text),
        timeoutSeconds: TimeoutSeconds,
      }),
      exactlyOne('run', 'module'),
    ),
  ),
});
export type FilesConfig = v.InferOutput<typeof FilesSchema>;
