/** The part of the configuration that says where a sensor's values come from. */
import * as v from 'valibot';

const PositiveSeconds = v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400));

/** The kernel ends an argument at a NUL. */
const Text = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((text) => !text.includes('\0'), 'must not hold a NUL'),
);

/** How the text that a file holds or a command prints becomes a value. */
const conversion = {
  /** Text of another kind is no reading. */
  value: v.optional(v.picklist(['number', 'boolean', 'text']), 'number'),
  /** Of a number: reading = number × scale + offset. */
  scale: v.optional(
    v.pipe(
      v.number(),
      v.finite(),
      v.check((scale) => scale !== 0, 'must not be 0: every reading would be the same'),
    ),
    1,
  ),
  offset: v.optional(v.pipe(v.number(), v.finite()), 0),
};

/** Keys that do nothing to values of another kind than numbers. */
const NEUTRAL = { scale: 1, offset: 0 } as const;

const Source = v.variant('kind', [
  v.strictObject({
    kind: v.literal('simulator'),
    /** `walk` or `sine`. */
    shape: v.optional(v.picklist(['walk', 'sine']), 'walk'),
    mean: v.optional(v.pipe(v.number(), v.finite()), 20),
    amplitude: v.optional(v.pipe(v.number(), v.minValue(0)), 5),
    /** Length of one wave of `sine`. */
    periodSeconds: v.optional(PositiveSeconds, 3600),
    /** The same seed gives the same walk; by default it follows from the names of thing and sensor. */
    seed: v.optional(v.pipe(v.number(), v.safeInteger())),
  }),
  v.strictObject({
    kind: v.literal('board'),
    /** The processor's temperature (degrees Celsius), or the load average of one minute. */
    value: v.picklist(['temperature', 'load']),
  }),
  v.strictObject({
    kind: v.literal('file'),
    /** Read anew for every reading; relative paths start at the configuration file. */
    path: Text,
    ...conversion,
  }),
  v.strictObject({
    kind: v.literal('command'),
    /** Program and arguments, run without a shell. A program with a relative path starts at the configuration file. */
    command: v.pipe(v.array(Text), v.minLength(1, 'must hold a program')),
    /** A run that takes longer is killed, with all that it has started. */
    timeoutSeconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(300)), 10),
    ...conversion,
  }),
]);

/** Where the values come from. A scale for what is no number is refused: it would be left out without a word. */
export const SourceSchema = v.pipe(
  Source,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const source = dataset.value;
    if (!('scale' in source) || source.value === 'number') return;
    for (const key of ['scale', 'offset'] as const) {
      if (source[key] === NEUTRAL[key]) continue;
      const input = { ...source };
      addIssue({
        message: 'is for numbers',
        path: [{ type: 'object', origin: 'value', input, key, value: source[key] }],
      });
    }
  }),
);
export type SourceConfig = v.InferOutput<typeof SourceSchema>;

/** The source with absolute paths. A program without a slash is looked for in the standard folders. */
export function absoluteSource(source: SourceConfig, absolute: (path: string) => string): SourceConfig {
  if (source.kind === 'file') return { ...source, path: absolute(source.path) };
  if (source.kind !== 'command') return source;
  const [program = '', ...args] = source.command;
  return { ...source, command: [program.includes('/') ? absolute(program) : program, ...args] };
}
