interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  readonly values: Set<Value>;
}

/**
 * Finds what listens on a topic, with one look-up for each of its levels. As everywhere in AWS IoT, `a/#` does not match
 * `a` (https://docs.aws.amazon.com/iot/latest/developerguide/topics.html#topicfilters), and a wildcard in the first level
 * matches no topic that begins with `$`.
 */
export class TopicFilterTree<Value> {
  readonly #root: Node<Value> = newNode();

  add(filter: string, value: Value): void {
    let node = this.#root;
    for (const level of filter.split('/')) {
      let next = node.children.get(level);
      if (!next) {
        next = newNode();
        node.children.set(level, next);
      }
      node = next;
    }
    node.values.add(value);
  }

  /** Leaves empty branches: rules are few, and come back. */
  remove(filter: string, value: Value): void {
    let node: Node<Value> | undefined = this.#root;
    for (const level of filter.split('/')) node = node?.children.get(level);
    node?.values.delete(value);
  }

  match(levels: readonly string[]): readonly Value[] {
    const found: Value[] = [];
    collect(this.#root, levels, 0, levels[0]?.startsWith('$') === true, found);
    return found;
  }
}

function newNode<Value>(): Node<Value> {
  return { children: new Map(), values: new Set() };
}

function collect<Value>(
  node: Node<Value>,
  levels: readonly string[],
  at: number,
  reserved: boolean,
  found: Value[],
): void {
  const level = levels[at];
  if (level === undefined) {
    found.push(...node.values);
    return;
  }
  const exact = node.children.get(level);
  if (exact) collect(exact, levels, at + 1, reserved, found);
  if (reserved && at === 0) return;
  const plus = node.children.get('+');
  if (plus) collect(plus, levels, at + 1, reserved, found);
  const hash = node.children.get('#');
  if (hash) found.push(...hash.values);
}
