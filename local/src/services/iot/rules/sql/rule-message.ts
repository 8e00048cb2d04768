import type { IotMessage } from '../../types.ts';
import { parseJson } from './json.ts';
import type { SqlValue } from './sql-value.ts';

/**
 * What the payload is. AWS counts JSON that is neither an object nor an array as "not JSON"
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-where.html, second example), but it is no parse error.
 */
export type PayloadKind = 'object' | 'array' | 'scalar' | 'empty' | 'binary';

/** A message as rules see it; shared by all rules, so that its payload is parsed at most once. */
export class RuleMessage {
  readonly source: IotMessage;
  /** Without the prefix of Basic Ingest. */
  readonly topic: string;
  #segments: readonly string[] | undefined;
  #kind: PayloadKind | undefined;
  #json: SqlValue;

  constructor(source: IotMessage, topic: string = source.topic) {
    this.source = source;
    this.topic = topic;
  }

  get segments(): readonly string[] {
    this.#segments ??= this.topic.split('/');
    return this.#segments;
  }

  get kind(): PayloadKind {
    this.#kind ??= this.#parse();
    return this.#kind;
  }

  /** The payload when it is a JSON object or array; Undefined otherwise. Nobody may change it. */
  get json(): SqlValue {
    this.#kind ??= this.#parse();
    return this.#json;
  }

  #parse(): PayloadKind {
    const { payload } = this.source;
    if (payload.length === 0) return 'empty';
    try {
      const json = parseJson(payload.toString('utf8'));
      if (typeof json !== 'object' || json === null) return 'scalar';
      this.#json = json;
      return Array.isArray(json) ? 'array' : 'object';
    } catch {
      return 'binary';
    }
  }
}
