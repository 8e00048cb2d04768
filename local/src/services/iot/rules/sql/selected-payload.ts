import { toJsonText } from './json.ts';
import type { RuleMessage } from './rule-message.ts';
import type { SqlValue } from './sql-value.ts';

/** What a rule hands to its actions: a value, or the bytes of a payload that is no JSON object or array. */
export class SelectedPayload {
  readonly value: SqlValue;
  /** True when there is no value: the payload passes as it came. */
  readonly isBinary: boolean;
  #bytes: Buffer | undefined;
  #text: string | undefined;

  constructor(value: SqlValue, bytes?: Buffer) {
    this.value = value;
    this.isBinary = bytes !== undefined;
    this.#bytes = bytes;
  }

  /** `SELECT *`. */
  static everything(message: RuleMessage): SelectedPayload {
    return message.kind === 'object' || message.kind === 'array'
      ? new SelectedPayload(message.json)
      : new SelectedPayload(undefined, message.source.payload);
  }

  /** Minified JSON, or the bytes as they came; made once. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.text, 'utf8');
    return this.#bytes;
  }

  get text(): string {
    this.#text ??= this.#bytes ? this.#bytes.toString('utf8') : toJsonText(this.value);
    return this.#text;
  }
}
