import type { Evaluate } from '../compilation.ts';
import { compileExpression } from '../compile-expression.ts';
import { toNearestInt, toText } from '../convert.ts';
import { ExternalFailure } from '../external-call.ts';
import { toJsonText } from '../json.ts';
import { arrayOf, isArray, isObject, member, type SqlArray, type SqlObject, type SqlValue } from '../sql-value.ts';
import { argument, binary, type SqlFunctions, unary } from './sql-function.ts';

/** The greatest result of transform (iot-sql-functions.html#iot-func-transform). */
const MAX_TRANSFORMED_BYTES = 128 * 1024;

export const collectionFunctions: SqlFunctions = {
  isnull: unary((value) => value === null),
  isundefined: unary((value) => value === undefined),
  nanvl: binary((value, otherwise) => (value === undefined || value === null ? otherwise : value)),
  /** Indices begin with 0; no conversion of the collection, nor of the key of an object. */
  get: binary((collection, key) => {
    if (isObject(collection)) return typeof key === 'string' ? member(collection, key) : undefined;
    if (!isArray(collection) && typeof collection !== 'string') return undefined;
    const index = toNearestInt(key);
    return typeof index === 'number' && index >= 0 ? collection[index] : undefined;
  }),
  concat: {
    arity: [0, Number.POSITIVE_INFINITY],
    compile(args) {
      const values = args.map(({ evaluate }) => evaluate);
      const [only] = values;
      // The table says that a single argument is returned unmodified; the example concat(1) = "1" says otherwise.
      if (only && values.length === 1) return only;
      return (scope) => concatenate(values.map((value) => value(scope)));
    },
  },
  transform: {
    arity: [3, 3],
    compile(args) {
      const mode = argument(args, 0);
      const added = argument(args, 1);
      const array = argument(args, 2);
      return (scope) => {
        const members = added(scope);
        const elements = array(scope);
        if (mode(scope) !== 'enrichArray' || !isObject(members) || !isArray(elements)) return undefined;
        return enrich(elements, members);
      };
    },
  },
  get_or_default: {
    arity: [1, 2],
    compile: () => () => undefined,
    compileNodes([expression, fallback], { context }) {
      if (!expression) return () => undefined;
      const value = compileExpression(expression, context).evaluate;
      const refused = context.externalsRefused;
      context.externalsRefused = 'the default of get_or_default may not ask another service';
      const otherwise: Evaluate = fallback ? compileExpression(fallback, context).evaluate : () => undefined;
      context.externalsRefused = refused;
      return (scope) => {
        let found: SqlValue;
        try {
          found = value(scope);
        } catch (error) {
          if (!(error instanceof ExternalFailure)) throw error;
        }
        return found === undefined || found === null ? otherwise(scope) : found;
      };
    },
  },
};

function concatenate(values: readonly SqlValue[]): SqlValue {
  if (values.some(isArray)) return arrayOf(values.flatMap((each) => (isArray(each) ? each : [each])));
  if (!values.some((each) => typeof each === 'string')) return undefined;
  let text = '';
  for (const value of values) {
    const part = toText(value);
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

/** Where both have a member of the same name, AWS does not say which one stays: the added one does. */
function enrich(elements: SqlArray, members: SqlObject): SqlValue {
  if (!elements.every(isObject)) return undefined;
  const enriched = elements.map((element) => ({ ...element, ...members }));
  return Buffer.byteLength(toJsonText(enriched), 'utf8') > MAX_TRANSFORMED_BYTES ? undefined : enriched;
}
