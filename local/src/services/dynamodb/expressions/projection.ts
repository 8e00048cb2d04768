import type { AttributeValue, Item } from '../attribute-value.ts';
import type { DocumentPath } from './expression.ts';

/** What to keep below one step: undefined keeps all of it. */
type Tree = Map<string | number, Tree | undefined>;

function toTree(paths: readonly DocumentPath[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let level = root;
    path.forEach((step, depth) => {
      if (depth === path.length - 1) level.set(step, undefined);
      else {
        const next = level.get(step) ?? new Map();
        level.set(step, next);
        level = next;
      }
    });
  }
  return root;
}

function pick(value: AttributeValue, tree: Tree | undefined): AttributeValue | undefined {
  if (tree === undefined) return value;
  if (value.M !== undefined) {
    const map = pickMap(value.M, tree);
    return Object.keys(map).length > 0 ? { M: map } : undefined;
  }
  const elements = value.L?.flatMap((element, index) => {
    const kept = tree.has(index) ? pick(element, tree.get(index)) : undefined;
    return kept === undefined ? [] : [kept];
  });
  return elements === undefined || elements.length === 0 ? undefined : { L: elements };
}

function pickMap(item: Item, tree: Tree): Item {
  const result: Record<string, AttributeValue> = {};
  for (const [step, below] of tree) {
    const value = item[String(step)];
    const kept = value === undefined ? undefined : pick(value, below);
    if (kept !== undefined) result[String(step)] = kept;
  }
  return result;
}

/** The parts of an item that these paths name; list elements close up in their order. */
export function project(paths: readonly DocumentPath[], item: Item): Item {
  return pickMap(item, toTree(paths));
}
