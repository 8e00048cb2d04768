import type { Session, Subscription } from './session.ts';
import { SharedGroup } from './shared-group.ts';
import type { ParsedFilter } from './topics.ts';

/** Maps are made when something comes into them: a device has several levels of its own, and most hold one map. */
interface Node {
  children?: Map<string, Node>;
  /** Subscriptions whose filter ends here. */
  sessions?: Map<Session, Subscription>;
  groups?: Map<string, SharedGroup>;
}

/** What one message has to reach. */
export interface Matches {
  /** Each session once, with the subscription of the highest QoS. */
  readonly sessions: ReadonlyMap<Session, Subscription>;
  readonly groups: readonly SharedGroup[];
}

const NOTHING: Matches = { sessions: new Map(), groups: [] };

/**
 * All subscriptions, by topic level, so that a message costs as many look-ups as its topic has levels.
 * Differs from the MQTT specification where AWS does: `a/#` does not match `a`.
 */
export class SubscriptionTree {
  readonly #root: Node = {};

  /** Adds or replaces; gives the group when the subscription is shared. */
  add(session: Session, { filter, group }: ParsedFilter, subscription: Subscription): SharedGroup | undefined {
    let node = this.#root;
    for (const level of filter.split('/')) {
      node.children ??= new Map();
      let next = node.children.get(level);
      if (!next) {
        next = {};
        node.children.set(level, next);
      }
      node = next;
    }
    if (group === undefined) {
      node.sessions ??= new Map();
      node.sessions.set(session, subscription);
      return undefined;
    }
    node.groups ??= new Map();
    const shared = node.groups.get(group) ?? new SharedGroup();
    node.groups.set(group, shared);
    shared.members.set(session, subscription);
    return shared;
  }

  remove(session: Session, { filter, group }: ParsedFilter): void {
    const levels = filter.split('/');
    const path = [this.#root];
    for (const level of levels) {
      const next = path.at(-1)?.children?.get(level);
      if (!next) return;
      path.push(next);
    }
    const node = path.at(-1);
    if (!node) return;
    if (group === undefined) {
      node.sessions?.delete(session);
    } else {
      const shared = node.groups?.get(group);
      shared?.members.delete(session);
      if (shared?.members.size === 0) node.groups?.delete(group);
    }
    prune(path, levels);
  }

  /** The group of a shared subscription. */
  group({ filter, group }: ParsedFilter): SharedGroup | undefined {
    let node: Node | undefined = this.#root;
    for (const level of filter.split('/')) node = node?.children?.get(level);
    return group === undefined ? undefined : node?.groups?.get(group);
  }

  match(topic: string): Matches {
    const found: Node[] = [];
    collect(this.#root, topic.split('/'), 0, topic.startsWith('$'), found);
    if (found.length === 0) return NOTHING;
    const [first] = found;
    // One filter with plain subscribers only is the usual case and needs no copy.
    if (found.length === 1 && first?.sessions && !first.groups?.size) return { sessions: first.sessions, groups: [] };
    const sessions = new Map<Session, Subscription>();
    for (const node of found) {
      for (const [session, subscription] of node.sessions ?? []) {
        if ((sessions.get(session)?.qos ?? -1) < subscription.qos) sessions.set(session, subscription);
      }
    }
    return { sessions, groups: found.flatMap((node) => [...(node.groups?.values() ?? [])]) };
  }
}

function isEmpty(node: Node): boolean {
  return !node.children?.size && !isEnd(node);
}

/** True when a filter ends here. */
function isEnd({ sessions, groups }: Node): boolean {
  return Boolean(sessions?.size || groups?.size);
}

function prune(path: readonly Node[], levels: readonly string[]): void {
  for (let at = path.length - 1; at > 0; at -= 1) {
    const node = path[at];
    const level = levels[at - 1];
    if (!node || level === undefined || !isEmpty(node)) return;
    path[at - 1]?.children?.delete(level);
  }
}

/** Wildcards in the first level never match a topic that begins with `$`. */
function collect(node: Node, levels: readonly string[], at: number, reserved: boolean, found: Node[]): void {
  const level = levels[at];
  if (level === undefined) {
    if (isEnd(node)) found.push(node);
    return;
  }
  const exact = node.children?.get(level);
  if (exact) collect(exact, levels, at + 1, reserved, found);
  if (reserved && at === 0) return;
  const plus = node.children?.get('+');
  if (plus) collect(plus, levels, at + 1, reserved, found);
  const hash = node.children?.get('#');
  if (hash) found.push(hash);
}
