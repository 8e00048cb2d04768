/** True when an MQTT topic filter matches a topic; as on AWS, `a/#` does not match `a`. */
export function filterMatches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return levels.length > at;
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

/** True for a filter with `+` and `#` alone in their levels, and `#` at the end only. */
export function isTopicFilter(text: string): boolean {
  const levels = text.split('/');
  return levels.every(
    (level, at) => !/[+#]/.test(level) || level === '+' || (level === '#' && at === levels.length - 1),
  );
}
