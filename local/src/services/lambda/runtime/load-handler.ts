import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export type Handler = (
  event: unknown,
  context: unknown,
  callback?: (error: unknown, result: unknown) => void,
) => unknown;

/** The function cannot be started; `name` is the error type that Lambda reports. */
class InitError extends Error {
  constructor(errorType: string, message: string) {
    super(message);
    this.name = errorType;
  }
}

/**
 * Finds and loads `file.export` in the task root, CommonJS or ES module.
 *
 * @throws an error named as Lambda names it: Runtime.ImportModuleError, Runtime.HandlerNotFound,
 *   Runtime.MalformedHandlerName, Runtime.UserCodeSyntaxError; or what the module itself throws
 */
export async function loadHandler(taskRoot: string, handler: string, runtime: string): Promise<Handler> {
  const match = /^(.*\/)?([^/.]+)\.(.+)$/.exec(handler);
  if (!match) throw new InitError('Runtime.MalformedHandlerName', 'Bad handler');
  const [, folder = '', file = '', exportName = ''] = match;
  const base = path.join(taskRoot, folder, file);
  const found = ['.js', '.mjs', '.cjs'].map((extension) => base + extension).find((each) => existsSync(each));
  if (!found) {
    throw new InitError(
      'Runtime.ImportModuleError',
      `Error: Cannot find module '${file}'\nRequire stack:\n- ${taskRoot}`,
    );
  }
  const exported = exportName.split('.').reduce(member, await load(found));
  if (exported === undefined) {
    throw new InitError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  if (typeof exported !== 'function') throw new InitError('Runtime.HandlerNotFound', `${handler} is not a function`);
  if (runtime === 'nodejs24.x' && exported.length > 2) {
    throw new InitError(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. Use an async handler.',
    );
  }
  // What was just checked is all that can be known of it.
  return exported as Handler;
}

async function load(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
      throw new InitError('Runtime.ImportModuleError', String(error));
    }
    if (error instanceof SyntaxError) throw new InitError('Runtime.UserCodeSyntaxError', String(error));
    throw error;
  }
}

/** A named export, or a member of the default export: what a CommonJS module looks like from here. */
function member(module: unknown, name: string): unknown {
  const direct: unknown = Object(module)[name];
  return direct === undefined ? Object(Object(module).default)[name] : direct;
}
