/** The parts of the configuration that name programs and modules which the cloud may have run. */
import * as v from 'valibot';

/** The kernel ends an argument, and a path, at a NUL. */
export const Text = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((text) => !text.includes('\0'), 'must not hold a NUL'),
);

/** Program and arguments, run without a shell. A program with a relative path starts at the configuration file. */
export const Program = v.pipe(v.array(Text), v.minLength(1, 'must hold a program'));

/** A run that takes longer is killed, with all that it has started. */
export const TimeoutSeconds = v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400)), 30);

/** Refuses an object that has none of these members, or several. */
export function exactlyOne<T extends object>(...keys: readonly (keyof T & string)[]): v.RawCheckAction<T> {
  return v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const given = keys.filter((key) => dataset.value[key] !== undefined);
    if (given.length === 1) return;
    const found = given.length === 0 ? 'there is none' : `there are ${given.join(' and ')}`;
    addIssue({ message: `must have exactly one of ${keys.join(', ')}; ${found}` });
  });
}

/** What runs: a program, or the default export of a JavaScript module. */
export interface HandlerConfig {
  readonly run?: readonly string[] | undefined;
  readonly module?: string | undefined;
  readonly timeoutSeconds: number;
}

/** The same with absolute paths. A program without a slash is looked for in the standard folders. */
export function absoluteHandler<
  T extends Pick<HandlerConfig, 'run' | 'module'> & { readonly file?: string | undefined },
>(handler: T, absolute: (path: string) => string): T {
  const { run, module, file } = handler;
  return {
    ...handler,
    ...(run === undefined ? {} : { run: absoluteProgram(run, absolute) }),
    ...(module === undefined ? {} : { module: absolute(module) }),
    ...(file === undefined ? {} : { file: absolute(file) }),
  };
}

export function absoluteProgram(
  [program = '', ...args]: readonly string[],
  absolute: (path: string) => string,
): string[] {
  return [program.includes('/') ? absolute(program) : program, ...args];
}
