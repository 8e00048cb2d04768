/** The syntax tree of a statement; `at` is the offset in its text, for messages. */
import type { SqlValue } from './sql-value.ts';

export interface Statement {
  readonly variables: readonly Assignment[];
  readonly select: Selection;
  /** Undefined for a rule that only Basic Ingest reaches. */
  readonly topicFilter: string | undefined;
  readonly where: Expression | undefined;
}

export interface Assignment {
  readonly name: string;
  readonly value: Expression;
  readonly at: number;
}

export type Selection =
  | { readonly kind: 'value'; readonly expression: Expression }
  | { readonly kind: 'items'; readonly items: readonly SelectItem[] };

export interface SelectItem {
  readonly expression: Expression;
  /** `AS bar.baz` is `['bar', 'baz']`. */
  readonly alias: readonly string[] | undefined;
}

export interface NestedSelect {
  readonly select: Selection;
  readonly from: Expression;
  readonly alias: string | undefined;
  readonly where: Expression | undefined;
}

export type BinaryOperator = 'and' | 'or' | '=' | '<>' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

export type Expression = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly value: SqlValue }
  | { readonly kind: 'star' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'cast'; readonly operand: Expression; readonly type: string }
  | { readonly kind: 'not' | 'minus'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'case';
      readonly subject: Expression;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  | { readonly kind: 'object'; readonly members: readonly { readonly key: string; readonly value: Expression }[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'select' | 'exists'; readonly select: NestedSelect }
);
