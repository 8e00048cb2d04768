import type { Compilation, Evaluate } from './compilation.ts';
import { compileExpression } from './compile-expression.ts';
import { FUNCTIONS, REFUSED_FUNCTIONS } from './functions/index.ts';
import type { Expression } from './syntax-tree.ts';

/**
 * A call of a function. An unknown name is refused; a wrong number of arguments gives Undefined, as
 * https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html says.
 */
export function compileCall(
  { name, args, at }: Extract<Expression, { readonly kind: 'call' }>,
  context: Compilation,
): Evaluate {
  if (REFUSED_FUNCTIONS.has(name)) return context.fail(at, `the local runtime does not emulate ${name}`);
  const found = FUNCTIONS.get(name);
  if (!found) return context.fail(at, `AWS IoT SQL has no function ${name}`);
  const call = { name, at, context };
  if (found.compileNodes) return found.compileNodes(args, call);
  const compiled = args.map((each) => compileExpression(each, context));
  for (const [index, { star }] of compiled.entries()) {
    const { at: starAt } = args[index] ?? { at };
    if (star && !found.takesStar) context.fail(starAt, `${name} does not take *; encode, decode and aws_lambda do`);
  }
  const [least, most] = found.arity;
  if (compiled.length < least || compiled.length > most) return () => undefined;
  return found.compile(compiled, call);
}
