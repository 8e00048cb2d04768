import type { Evaluate } from '../compilation.ts';
import { toText } from '../convert.ts';
import { parseJson } from '../json.ts';
import type { Scope } from '../scope.ts';
import type { SqlValue } from '../sql-value.ts';
import { argument, literalText, type SqlFunctions } from './sql-function.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

export const encodingFunctions: SqlFunctions = {
  encode: {
    arity: [2, 2],
    takesStar: true,
    compile(args, call) {
      const scheme = literalText(args, 1, 'the scheme', call);
      if (scheme !== 'base64') call.context.fail(call.at, `encode has no scheme '${scheme}'; it has 'base64'`);
      if (args[0]?.star && !call.context.row) return ({ message }) => message.source.payload.toString('base64');
      const value = argument(args, 0);
      return (scope) => {
        const text = toText(value(scope));
        return text === undefined ? undefined : Buffer.from(text, 'utf8').toString('base64');
      };
    },
  },
  decode: {
    arity: [2, 6],
    takesStar: true,
    compile(args, call) {
      const scheme = literalText(args, 1, 'the scheme', call);
      if (scheme === 'proto') call.context.fail(call.at, "the local runtime does not emulate decode with 'proto'");
      if (scheme !== 'base64') call.context.fail(call.at, `decode has no scheme '${scheme}'; it has 'base64'`);
      const text = args[0]?.star && !call.context.row ? payloadText : asText(argument(args, 0));
      return (scope) => decodeBase64(text(scope));
    },
  },
};

/** Null when it is no base64; JSON is read, anything else stays text. */
function decodeBase64(text: SqlValue): SqlValue {
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !BASE64.test(text)) return null;
  const decoded = Buffer.from(text, 'base64').toString('utf8');
  try {
    return parseJson(decoded);
  } catch {
    return decoded;
  }
}

function payloadText({ message }: Scope): string {
  return message.source.payload.toString('utf8').trim();
}

function asText(evaluate: Evaluate): Evaluate {
  return (scope) => toText(evaluate(scope));
}
