import type { Compilation, Evaluate, Row } from './compilation.ts';
import { compileExpression } from './compile-expression.ts';
import type { Scope } from './scope.ts';
import { isArray, isObject, type SqlObject, type SqlValue, setMember } from './sql-value.ts';
import type { Expression, NestedSelect, SelectItem, Selection } from './syntax-tree.ts';

/** Adds one item of a SELECT to the result. */
type Write = (target: Record<string, SqlValue>, scope: Scope) => void;

export interface CompiledSelection {
  /** True when the selection is the payload or the element as it is. */
  readonly everything: boolean;
  /** True when `*` stands beside other items. */
  readonly takesMembers: boolean;
  /** The result; `*` beside other items takes the members of `whole`. */
  readonly evaluate: (scope: Scope, whole: SqlObject) => SqlValue;
}

const NOTHING: SqlObject = {};

/** Turns the list after SELECT into a function. */
export function compileSelection(selection: Selection, context: Compilation): CompiledSelection {
  if (selection.kind === 'value') {
    const { evaluate, star } = compileExpression(selection.expression, context);
    return { everything: star === true, takesMembers: false, evaluate };
  }
  const { items } = selection;
  const [only] = items;
  if (items.length === 1 && only?.expression.kind === 'star' && !only.alias) {
    return { everything: true, takesMembers: false, evaluate: compileExpression(only.expression, context).evaluate };
  }
  const takesMembers = items.some(({ expression, alias }) => expression.kind === 'star' && !alias);
  const writes = items.flatMap((item) => compileItem(item, context));
  return {
    everything: false,
    takesMembers,
    evaluate: (scope, whole) => {
      const target: Record<string, SqlValue> = takesMembers ? { ...whole } : {};
      for (const write of writes) write(target, scope);
      return target;
    },
  };
}

/**
 * A nested SELECT: over an array one result for each element, over an object the result itself
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-nested-queries.html).
 */
export function compileNestedSelect({ select, from, alias, where }: NestedSelect, context: Compilation): Evaluate {
  const source = compileExpression(from, context).evaluate;
  const outer = context.row;
  const row: Row = { depth: (outer?.depth ?? -1) + 1, alias, outer };
  context.row = row;
  const selection = compileSelection(select, context);
  const condition = where && compileExpression(where, context).evaluate;
  context.row = outer;
  const selected = (scope: Scope, element: SqlValue): SqlValue => {
    scope.elements[row.depth] = element;
    if (condition && condition(scope) !== true) return undefined;
    return selection.evaluate(scope, isObject(element) ? element : NOTHING);
  };
  return (scope) => {
    const value = source(scope);
    if (isObject(value)) return selected(scope, value);
    if (!isArray(value)) return undefined;
    return value.map((each) => selected(scope, each)).filter((each) => each !== undefined);
  };
}

function compileItem({ expression, alias }: SelectItem, context: Compilation): Write[] {
  const { evaluate } = compileExpression(expression, context);
  if (alias) return [compileAlias(alias, evaluate)];
  if (expression.kind === 'star') return [];
  // An object literal without a name gives its members to the result (iot-sql-select.html, last example).
  if (expression.kind === 'object') {
    return [
      (target, scope) => {
        for (const [key, value] of Object.entries(evaluate(scope) as SqlObject)) setMember(target, key, value);
      },
    ];
  }
  const name = nameOf(expression);
  if (name === undefined) return context.fail(expression.at, 'this item needs a name: write AS name after it');
  return [(target, scope) => setMember(target, name, evaluate(scope))];
}

/** AS outer.inner builds an object, beside what is there already. */
function compileAlias(path: readonly string[], evaluate: Evaluate): Write {
  const [name = '', ...inner] = path;
  if (inner.length === 0) return (target, scope) => setMember(target, name, evaluate(scope));
  return (target, scope) => {
    const value = evaluate(scope);
    if (value !== undefined) setMember(target, name, withMember(target[name], inner, value));
  };
}

/** Copies what it changes: the object may be a part of the payload, which other rules read. */
function withMember(existing: SqlValue, [name = '', ...inner]: readonly string[], value: SqlValue): SqlObject {
  const copy: Record<string, SqlValue> = isObject(existing) ? { ...existing } : {};
  setMember(copy, name, inner.length === 0 ? value : withMember(copy[name], inner, value));
  return copy;
}

/** The name of an item without AS: a path is called by its last member, a function by its name. */
function nameOf(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'name':
    case 'member':
    case 'variable':
    case 'call':
      return expression.name;
    case 'cast':
      return 'cast';
    default:
      return undefined;
  }
}
