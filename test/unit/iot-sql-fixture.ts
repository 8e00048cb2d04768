import { compileStatement, type Outcome } from '../../local/src/services/iot/rules/sql/compile-statement.ts';
import type { ExternalCall } from '../../local/src/services/iot/rules/sql/external-call.ts';
import { RuleMessage } from '../../local/src/services/iot/rules/sql/rule-message.ts';
import type { SqlValue } from '../../local/src/services/iot/rules/sql/sql-value.ts';
import type { IotMessage } from '../../local/src/services/iot/types.ts';

/** A message; an object is its JSON, text and bytes are the payload itself. */
export function messageOf(payload: unknown, more: Partial<IotMessage> = {}): RuleMessage {
  const bytes = payload instanceof Uint8Array || typeof payload === 'string' ? payload : JSON.stringify(payload);
  return new RuleMessage({
    topic: 'things/myThings/thingOne',
    payload: Buffer.from(bytes as string),
    qos: 0,
    retain: false,
    properties: {},
    clientId: 'client1',
    principal: 'ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373',
    sourceIp: '192.158.1.38',
    receivedAt: 1_481_825_251_155,
    traceId: '12345678-1234-1234-1234-123456789012',
    ...more,
  });
}

/** What a statement makes of a message. */
export async function evaluate(
  sql: string,
  payload: unknown = {},
  more: Partial<IotMessage> = {},
  callExternal: (call: ExternalCall) => Promise<SqlValue> = () => Promise.reject(new Error('no external services')),
): Promise<Outcome> {
  return compileStatement(sql).evaluate(messageOf(payload, more), { accountId: '123456789012', callExternal });
}

/** The value that SELECT has made; what it passes on as bytes is a Buffer. Throws when it made none. */
export async function select(sql: string, payload?: unknown, more?: Partial<IotMessage>): Promise<unknown> {
  const outcome = await evaluate(sql, payload, more);
  if (outcome.kind !== 'selected') throw new Error(`nothing selected: ${JSON.stringify(outcome)}`);
  return outcome.payload.isBinary ? outcome.payload.bytes : outcome.payload.value;
}
