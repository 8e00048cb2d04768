/** The JSON schema that Amazon publishes for messages of smart home skills; docs/testing.md says where it is. */
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

/** Documented, and not in the file of commit 01680b1. A file that has it is asked about it. */
const MAY_BE_MISSING = ['Alexa.Discovery.DeleteReport'];
const ID = 'alexa';

interface Message {
  readonly event?: { readonly header?: { readonly namespace?: string; readonly name?: string } };
}

/** A schema in the file: of one kind of message, or of several. */
interface Part {
  readonly oneOf?: readonly Part[];
  readonly properties?: Readonly<Record<string, Part>>;
  readonly enum?: readonly string[];
}

export class PublishedSchema {
  // Its formats are those of OpenAPI, and its patterns are not made for the flag `u`.
  readonly #ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, inlineRefs: false });
  readonly #whole: ValidateFunction;
  /** Where the schema of a kind is, `Alexa.StateReport`: its errors are fewer than those of the whole. */
  readonly #parts: ReadonlyMap<string, string>;

  /** @throws Error when the file cannot be read, or has no schemas of messages */
  constructor(path: string) {
    const schema = JSON.parse(readFileSync(path, 'utf8'), asDraft07);
    this.#parts = new Map(partsOf(schema, `${ID}#`));
    if (this.#parts.size === 0) throw new Error(`${path} has no schemas of messages`);
    this.#whole = this.#ajv.compile({ ...schema, $id: ID });
  }

  /** Whether it says anything about messages of this kind. */
  has(kind: string): boolean {
    return this.#parts.has(kind);
  }

  /** @throws Error with what is wrong with a message */
  check(message: unknown): void {
    const sent = JSON.parse(JSON.stringify(message)) as Message;
    const { namespace, name } = sent.event?.header ?? {};
    const kind = `${namespace}.${name}`;
    if (!this.has(kind) && MAY_BE_MISSING.includes(kind)) return;
    if (this.#whole(sent)) return;
    const wrong = this.#errorsOf(kind, sent) ?? 'it is not in it';
    throw new Error(`the published schema refuses this ${kind}: ${wrong}: ${JSON.stringify(sent)}`);
  }

  #errorsOf(kind: string, sent: Message): string | undefined {
    const $ref = this.#parts.get(kind);
    if ($ref === undefined) return undefined;
    const part = this.#ajv.compile({ $ref });
    return part(sent) ? 'two parts of it take it' : this.#ajv.errorsText(part.errors, { dataVar: '' });
  }
}

/** The kinds of message below a part, and where the schema of each is. */
function partsOf(part: Part, at: string): readonly (readonly [kind: string, at: string])[] {
  const { namespace, name } = part.properties?.event?.properties?.header?.properties ?? {};
  const own = (namespace?.enum ?? []).flatMap((one) =>
    (name?.enum ?? []).map((other) => [`${one}.${other}`, at] as const),
  );
  return [...own, ...(part.oneOf ?? []).flatMap((each, index) => partsOf(each, `${at}/oneOf/${index}`))];
}

const EXCLUSIVE: Readonly<Record<string, string>> = { maximum: 'exclusiveMaximum', minimum: 'exclusiveMinimum' };

/**
 * The file is draft-04, where a boolean says whether a limit is excluded, and has `nullable` of OpenAPI, which means nothing there and
 * something to Ajv. https://json-schema.org/draft-06/json-schema-release-notes
 */
function asDraft07(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = value as Readonly<Record<string, unknown>>;
  const kept = Object.entries(members).flatMap(([key, member]) => {
    if (key === '$schema') return [];
    if (typeof member === 'boolean' && (key === 'nullable' || key.startsWith('exclusive'))) return [];
    const exclusive = EXCLUSIVE[key];
    return [[exclusive !== undefined && members[exclusive] === true ? exclusive : key, member]];
  });
  return Object.fromEntries(kept);
}
