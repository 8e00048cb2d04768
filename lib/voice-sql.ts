/** The statement of the rule of voice. */
import { VOICE_MEMBERS } from '@thingstead/contracts/voice';

/**
 * Updates that change something in `reported` of which Alexa can know. What is missing gets a default: an operand that is Undefined
 * makes all of the WHERE clause Undefined. https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html
 */
export function changedShadowSql(): readonly string[] {
  const value = (document: string, member: string) => `get_or_default(${document}.state.reported.${member}, 'nothing')`;
  const changes = [...VOICE_MEMBERS, 'connected'].map(
    (member) => `${value('previous', member)} <> ${value('current', member)}`,
  );
  return [
    "SELECT 'shadow' AS kind, topic(3) AS thing, timestamp, previous, current",
    "FROM '$aws/things/+/shadow/update/documents'",
    `WHERE regexp_matches(topic(3), '^[a-zA-Z0-9_-]{1,64}$') AND (${changes.join(' OR\n  ')})`,
  ];
}
