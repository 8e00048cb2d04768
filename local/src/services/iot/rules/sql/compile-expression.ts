import type { Compilation, Compiled, Evaluate } from './compilation.ts';
import { compileCall } from './compile-call.ts';
import { compileNestedSelect } from './compile-select.ts';
import { CASTS } from './convert.ts';
import { BINARY, equal, logicalNot, minus } from './operators.ts';
import { arrayOf, isArray, member, type SqlValue, setMember } from './sql-value.ts';
import type { Expression } from './syntax-tree.ts';

/** Turns an expression into a function of the scope. Throws SqlParseException for what AWS does not have. */
export function compileExpression(node: Expression, context: Compilation): Compiled {
  switch (node.kind) {
    case 'literal': {
      const { value } = node;
      return { evaluate: () => value, constant: { value } };
    }
    case 'star':
      return { evaluate: compileStar(context), star: true };
    case 'name':
      return { evaluate: compileName(node.name, context) };
    case 'member': {
      const of = compileExpression(node.of, context).evaluate;
      const { name } = node;
      return { evaluate: (scope) => member(of(scope), name) };
    }
    case 'variable':
      return { evaluate: compileVariable(node.name, node.at, context) };
    case 'call':
      return { evaluate: compileCall(node, context) };
    case 'cast':
      return { evaluate: compileCast(node, context) };
    case 'not':
    case 'minus':
      return compileSign(node, context);
    case 'binary': {
      const operate = BINARY[node.operator];
      const left = compileExpression(node.left, context).evaluate;
      const right = compileExpression(node.right, context).evaluate;
      return { evaluate: (scope) => operate(left(scope), right(scope)) };
    }
    case 'case':
      return { evaluate: compileCase(node, context) };
    case 'object':
      return { evaluate: compileObject(node, context) };
    case 'array': {
      const items = node.items.map((each) => compileExpression(each, context).evaluate);
      return { evaluate: (scope) => arrayOf(items.map((item) => item(scope))) };
    }
    case 'select':
      return { evaluate: compileNestedSelect(node.select, context) };
    case 'exists': {
      const select = compileNestedSelect(node.select, context);
      return { evaluate: (scope) => hasElement(select(scope)) };
    }
  }
}

type Node<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>;

/** The payload, or the element of the nested SELECT. What it is for a binary payload, its user has to decide. */
function compileStar(context: Compilation): Evaluate {
  const { row } = context;
  if (row) return (scope) => scope.elements[row.depth];
  context.readsStar = true;
  return ({ message }) => message.json;
}

/** A name is an alias of a nested SELECT around it, or a member of the innermost element, or of the payload. */
function compileName(name: string, context: Compilation): Evaluate {
  for (let row = context.row; row; row = row.outer) {
    const { alias, depth } = row;
    if (alias === name) return (scope) => scope.elements[depth];
  }
  if (context.row) {
    const { depth } = context.row;
    return (scope) => member(scope.elements[depth], name);
  }
  context.readsMembers = true;
  return ({ message }) => member(message.json, name);
}

function compileVariable(name: string, at: number, context: Compilation): Evaluate {
  const index = context.variables.get(name);
  if (index === undefined) return context.fail(at, `@${name} is not set before it is used`);
  return (scope) => scope.variables[index];
}

function compileCast({ operand, type, at }: Node<'cast'>, context: Compilation): Evaluate {
  const cast = CASTS.get(type);
  if (!cast) return context.fail(at, `cast has no type ${type}; it has ${[...CASTS.keys()].join(', ')}`);
  const value = compileExpression(operand, context).evaluate;
  return (scope) => cast(value(scope));
}

function compileSign(node: Node<'not' | 'minus'>, context: Compilation): Compiled {
  const operate = node.kind === 'not' ? logicalNot : minus;
  const { evaluate, constant } = compileExpression(node.operand, context);
  if (constant) return constantOf(operate(constant.value));
  return { evaluate: (scope) => operate(evaluate(scope)) };
}

function constantOf(value: SqlValue): Compiled {
  return { evaluate: () => value, constant: { value } };
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-case.html */
function compileCase({ subject, branches, otherwise }: Node<'case'>, context: Compilation): Evaluate {
  const value = compileExpression(subject, context).evaluate;
  const compiled = branches.map(({ when, result }) => ({
    when: compileExpression(when, context).evaluate,
    result: compileExpression(result, context).evaluate,
  }));
  const last = otherwise && compileExpression(otherwise, context).evaluate;
  return (scope) => {
    const found = value(scope);
    if (found === undefined) return undefined;
    for (const { when, result } of compiled) {
      if (equal(found, when(scope)) === true) return result(scope);
    }
    return last?.(scope);
  };
}

function compileObject({ members }: Node<'object'>, context: Compilation): Evaluate {
  const compiled = members.map(({ key, value }) => ({ key, value: compileExpression(value, context).evaluate }));
  return (scope) => {
    const object: Record<string, SqlValue> = {};
    for (const { key, value } of compiled) setMember(object, key, value(scope));
    return object;
  };
}

function hasElement(selected: SqlValue): boolean {
  return isArray(selected) ? selected.length > 0 : selected !== undefined;
}
