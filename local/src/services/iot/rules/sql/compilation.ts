import type { ExternalCall, ExternalStep } from './external-call.ts';
import type { Scope } from './scope.ts';
import { sqlParseError } from './sql-parse-error.ts';
import type { SqlValue } from './sql-value.ts';

export type Evaluate = (scope: Scope) => SqlValue;

/** A compiled expression; `constant` when it is a literal, so that functions can prepare patterns and formats. */
export interface Compiled {
  readonly evaluate: Evaluate;
  readonly constant?: { readonly value: SqlValue };
  /** True for `*`, which some functions take as the payload. */
  readonly star?: true;
}

/** The nested SELECTs around an expression, innermost first. */
export interface Row {
  readonly depth: number;
  readonly alias: string | undefined;
  readonly outer: Row | undefined;
}

/** What is found out about a text while it is compiled. */
export class Compilation {
  readonly source: string;
  /** The index of each SET variable that may be read so far. */
  readonly variables: Map<string, number>;
  row: Row | undefined;
  /** True when a member of the payload is read. */
  readsMembers = false;
  /** True when the payload is read as a whole, so that it may be binary. */
  readsStar = false;
  /** Why external functions may not stand here; undefined where they may. */
  externalsRefused: string | undefined;
  /** The roles that external functions take. */
  readonly roleArns = new Set<string>();
  #steps: ExternalStep[] = [];
  #stepCount = 0;
  readonly #externalNames = new Set<string>();

  constructor(source: string, variables: ReadonlyMap<string, number> = new Map()) {
    this.source = source;
    this.variables = new Map(variables);
  }

  fail(at: number, message: string): never {
    throw sqlParseError(this.source, at, message);
  }

  /** Gives a place for an external call. Throws SqlParseException where it may not stand, or stands twice. */
  addExternal(name: ExternalCall['name'], at: number, prepare: ExternalStep['prepare']): number {
    if (this.row) this.fail(at, `the local runtime does not emulate ${name} inside a nested SELECT`);
    if (this.externalsRefused !== undefined) this.fail(at, this.externalsRefused);
    const once = name === 'get_dynamodb' || name === 'get_registry_data';
    if (once && this.#externalNames.has(name)) {
      this.fail(at, `${name} may be called once in a statement: AWS ends a rule that calls it twice, without actions`);
    }
    this.#externalNames.add(name);
    const index = this.#stepCount;
    this.#stepCount += 1;
    this.#steps.push({ index, name, prepare });
    return index;
  }

  /** The external calls added since the last time, in the order in which they have to run. */
  takeSteps(): readonly ExternalStep[] {
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }
}
