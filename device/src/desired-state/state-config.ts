import * as v from 'valibot';
import { exactlyOne, Program, Text, TimeoutSeconds } from '../handlers/handler-config.ts';

/** Members of the shadow that the agent reports by itself. */
const RESERVED: ReadonlySet<string> = new Set(['connected', 'session', 'firmwareVersion', 'settings', 'errors']);

const StateName = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z][a-zA-Z0-9_]{0,63}$/, 'must be 1 to 64 letters, digits or "_", a letter first'),
  v.check((name) => !RESERVED.has(name), 'is reported by the agent itself'),
);

/** How the members of the shadow's `desired` are applied, by their names; others are not the agent's business. */
export const StateSchema = v.record(
  StateName,
  v.pipe(
    v.strictObject({
      /** Gets the value as JSON on standard input. */
      run: v.optional(Program),
      /** A JavaScript module; its default export is called with the value and `{ name, signal }`. */
      module: v.optional(Text),
      /** Is there already; gets the value as text: `/sys/class/leds/green/brightness`. */
      file: v.optional(Text),
      /** Of a number for `file`: what is written is number × scale, rounded. */
      scale: v.optional(v.pipe(v.number(), v.finite())),
      /** Takes every value, and does nothing. */
      simulator: v.optional(v.literal(true)),
      timeoutSeconds: TimeoutSeconds,
    }),
    exactlyOne('run', 'module', 'file', 'simulator'),
    v.check(({ file, scale }) => scale === undefined || file !== undefined, 'scale is for file'),
  ),
);
export type StateConfig = v.InferOutput<typeof StateSchema>;
