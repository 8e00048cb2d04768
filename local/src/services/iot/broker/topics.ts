/** Which topic names and filters the broker takes (https://docs.aws.amazon.com/iot/latest/developerguide/topics.html). */
import { MAX_SHARE_NAME_LENGTH, MAX_TOPIC_BYTES, MAX_TOPIC_SLASHES } from './limits.ts';

/** `$aws/rules/<rule>` alone is one too: its topic is empty (reserved-topics, "Rule topics"). */
const BASIC_INGEST = /^\$aws\/rules\/[^/]+(?:\/|$)/;
const SHADOW_REQUEST = /^\$aws\/things\/[^/]+\/shadow\/(?:name\/[^/]+\/)?(?:get|update|delete)$/;

export function isReserved(topic: string): boolean {
  return topic.startsWith('$');
}

export function isBasicIngest(topic: string): boolean {
  return topic.startsWith('$aws/rules/');
}

/** True when a filter has a wildcard: such subscriptions get no retained messages. */
export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.includes('#');
}

/** Why this cannot be published to; undefined when it can. */
export function topicProblem(topic: string): string | undefined {
  if (topic === '') return 'the topic is empty';
  if (hasWildcard(topic)) return 'a topic to publish to has no wildcards';
  return limitProblem(topic.replace(BASIC_INGEST, ''));
}

/**
 * Why a client may not publish to this topic although its policy allows it: topics with a leading `$` belong to AWS,
 * which names those that clients may publish to
 * (https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html).
 */
export function reservedTopicProblem(topic: string): string | undefined {
  if (!isReserved(topic) || SHADOW_REQUEST.test(topic) || BASIC_INGEST.test(topic)) return undefined;
  return `clients may publish to the shadow and Basic Ingest topics only; the local runtime emulates no other reserved topic: ${topic}`;
}

/** A subscription's filter taken apart: `$share/<group>/<filter>` or a plain one. */
export interface ParsedFilter {
  readonly filter: string;
  readonly group: string | undefined;
}

/** Why a filter is refused: `malformed` by the MQTT specification, otherwise because AWS does not take it. */
export interface FilterProblem {
  readonly malformed: boolean;
  readonly message: string;
}

/** Reads the filter of a SUBSCRIBE or UNSUBSCRIBE. */
export function parseFilter(text: string): ParsedFilter | FilterProblem {
  const malformed = (message: string): FilterProblem => ({ malformed: true, message: `${message}: ${text}` });
  const refused = (message: string): FilterProblem => ({ malformed: false, message: `${message}: ${text}` });
  let filter = text;
  let group: string | undefined;
  if (text.startsWith('$share/')) {
    const end = text.indexOf('/', 7);
    group = text.slice(7, end);
    filter = text.slice(end + 1);
    if (end < 0 || group === '' || filter === '') return malformed('a shared subscription is $share/<name>/<filter>');
    if (hasWildcard(group)) return malformed('the name of a shared subscription has no wildcards');
    if (group.length > MAX_SHARE_NAME_LENGTH) return refused('the name of a shared subscription is too long');
  }
  if (filter === '') return malformed('the topic filter is empty');
  if (!wildcardsStandAlone(filter)) return malformed('+ and # stand alone in a level, and # is the last');
  if (isBasicIngest(filter)) return refused('nobody can subscribe to Basic Ingest topics');
  if (isReserved(filter) && !filter.startsWith('$aws/')) return refused('topics beginning with $ are reserved');
  const problem = limitProblem(filter);
  return problem === undefined ? { filter, group } : refused(problem);
}

function wildcardsStandAlone(filter: string): boolean {
  if (!hasWildcard(filter)) return true;
  const levels = filter.split('/');
  return levels.every(
    (level, at) => !hasWildcard(level) || level === '+' || (level === '#' && at === levels.length - 1),
  );
}

function limitProblem(topic: string): string | undefined {
  if (topic.includes('\u0000')) return 'a topic has no null character';
  if (Buffer.byteLength(topic) > MAX_TOPIC_BYTES) return `a topic has at most ${MAX_TOPIC_BYTES} bytes`;
  let slashes = 0;
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) slashes += 1;
  return slashes > MAX_TOPIC_SLASHES ? `a topic has at most ${MAX_TOPIC_SLASHES} slashes` : undefined;
}
