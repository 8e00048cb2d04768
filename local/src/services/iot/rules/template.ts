/**
 * Substitution templates: `${expression}` inside the parameters of an action
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html). They read the original
 * payload and the variables of SET, not what SELECT has made.
 */
import { AwsError } from '../../../kernel/errors.ts';
import { Compilation, type Evaluate } from './sql/compilation.ts';
import { compileExpression } from './sql/compile-expression.ts';
import { toText } from './sql/convert.ts';
import { type CallExternal, type ExternalStep, runExternalCalls } from './sql/external-call.ts';
import { Parser } from './sql/parser.ts';
import { type Scope, templateScope } from './sql/scope.ts';

/** What a template is filled in with. */
export interface TemplateInput {
  readonly scope: Scope;
  readonly callExternal: CallExternal;
}

/** Gives the text; a promise only when an expression calls an external function. Rejects when that fails. */
export interface Template {
  (input: TemplateInput): string | Promise<string>;
  /** The text, when it has no expression. */
  readonly constant?: string;
}

export interface TemplateOptions {
  /** The variables of the statement. */
  readonly variables: ReadonlyMap<string, number>;
  /** `republish.topic`, for messages. */
  readonly field: string;
  /** True where `$$` stands for `$`: the topic of republish. */
  readonly escapesDollar?: boolean;
}

type Part = string | Evaluate;

/** Compiles a template once. Throws SqlParseException that names the field. */
export function compileTemplate(text: string, options: TemplateOptions): Template {
  try {
    return compile(text, options);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(error.code, `${options.field}: ${error.message}`, error.status);
  }
}

function compile(text: string, { variables, escapesDollar = false }: TemplateOptions): Template {
  const context = new Compilation(text, variables);
  const parts: Part[] = [];
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) break;
    parts.push(text.slice(at, dollar));
    if (escapesDollar && text[dollar + 1] === '$') {
      parts.push('$');
      at = dollar + 2;
    } else if (text[dollar + 1] === '{') {
      const parser = new Parser(text, dollar + 2);
      parts.push(compileExpression(parser.expression(), context).evaluate);
      at = parser.token.end;
      parser.expectSymbol('}');
    } else {
      parts.push('$');
      at = dollar + 1;
    }
  }
  parts.push(text.slice(at));
  return toTemplate(parts, context.takeSteps());
}

function toTemplate(parts: readonly Part[], steps: readonly ExternalStep[]): Template {
  if (parts.every((part) => typeof part === 'string')) {
    const constant = parts.join('');
    return Object.assign(() => constant, { constant });
  }
  const fill = (scope: Scope): string => {
    let filled = '';
    // Undefined serialized by itself is an empty text.
    for (const part of parts) filled += typeof part === 'string' ? part : (toText(part(scope)) ?? '');
    return filled;
  };
  if (steps.length === 0) return ({ scope }) => fill(scope);
  return async ({ scope, callExternal }) => {
    const own = templateScope(scope);
    await runExternalCalls(steps, own, callExternal);
    return fill(own);
  };
}
