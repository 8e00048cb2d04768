import { invalidRequest } from '../../control/errors.ts';
import { compileTemplate, type Template, type TemplateOptions } from '../template.ts';

const ROLE_ARN = /^arn:[^:]+:iam::\d{12}:role\/.+$/;

/** Reads the parameters of an action; what has not been read in the end is refused by name. */
export class ActionParameters {
  readonly #name: string;
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #variables: ReadonlyMap<string, number>;
  readonly #read = new Set<string>();

  /** `name` is the path so far, `dynamoDBv2.putItem`. Throws InvalidRequestException for what is no object. */
  constructor(name: string, given: unknown, variables: ReadonlyMap<string, number>) {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw invalidRequest(`${name} has to be an object`);
    }
    this.#name = name;
    this.#given = given as Readonly<Record<string, unknown>>;
    this.#variables = variables;
  }

  roleArn(): string {
    const arn = this.text('roleArn');
    if (ROLE_ARN.test(arn)) return arn;
    throw invalidRequest(`${this.#name}.roleArn is ${JSON.stringify(arn)}; it has to be the ARN of a role`);
  }

  text(member: string): string {
    const value = this.optionalText(member);
    if (value === undefined || value === '') throw invalidRequest(`${this.#name}.${member} is required`);
    return value;
  }

  optionalText(member: string): string | undefined {
    const value = this.#take(member);
    if (value === undefined || typeof value === 'string') return value;
    throw invalidRequest(`${this.#name}.${member} has to be text`);
  }

  /** Text out of a list. */
  word<Word extends string>(member: string, words: readonly Word[]): Word | undefined {
    const value = this.optionalText(member);
    const found = words.find((word) => word === value);
    if (value === undefined || found !== undefined) return found;
    throw invalidRequest(`${this.#name}.${member} is ${JSON.stringify(value)}; it has to be ${words.join(' or ')}`);
  }

  boolean(member: string): boolean {
    const value = this.#take(member) ?? false;
    if (typeof value === 'boolean') return value;
    throw invalidRequest(`${this.#name}.${member} has to be true or false`);
  }

  integer(member: string): number | undefined {
    const value = this.#take(member);
    if (value === undefined || Number.isInteger(value)) return value as number | undefined;
    throw invalidRequest(`${this.#name}.${member} has to be an integer`);
  }

  template(member: string, options: Pick<TemplateOptions, 'escapesDollar'> = {}): Template {
    return this.#compile(member, this.text(member), options);
  }

  optionalTemplate(member: string): Template | undefined {
    const value = this.optionalText(member);
    return value === undefined ? undefined : this.#compile(member, value, {});
  }

  object(member: string): ActionParameters {
    return this.optionalObject(member) ?? this.#missing(member);
  }

  optionalObject(member: string): ActionParameters | undefined {
    const value = this.#take(member);
    return value === undefined ? undefined : new ActionParameters(`${this.#name}.${member}`, value, this.#variables);
  }

  objects(member: string): readonly ActionParameters[] {
    const value = this.#take(member) ?? [];
    if (!Array.isArray(value)) throw invalidRequest(`${this.#name}.${member} has to be a list`);
    return value.map((each, at) => new ActionParameters(`${this.#name}.${member}[${at}]`, each, this.#variables));
  }

  /** Throws InvalidRequestException that names the members which the action does not have. */
  refuseOthers(): void {
    const unknown = Object.keys(this.#given).filter((name) => !this.#read.has(name));
    if (unknown.length === 0) return;
    const known = [...this.#read].join(', ');
    throw invalidRequest(`${this.#name} has no member ${unknown.join(', ')}; it has ${known}`);
  }

  #take(member: string): unknown {
    this.#read.add(member);
    return this.#given[member] ?? undefined;
  }

  #compile(member: string, text: string, options: Pick<TemplateOptions, 'escapesDollar'>): Template {
    return compileTemplate(text, { variables: this.#variables, field: `${this.#name}.${member}`, ...options });
  }

  #missing(member: string): never {
    throw invalidRequest(`${this.#name}.${member} is required`);
  }
}
