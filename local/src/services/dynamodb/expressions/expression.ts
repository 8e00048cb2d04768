/** Expressions as the parser leaves them, names and values already filled in. */
import type { AttributeValue, Item } from '../attribute-value.ts';

/** Top-level attribute, then map keys and list indexes. */
export type DocumentPath = readonly (string | number)[];

export interface ExpressionNode {
  /** An operator (`and`, `=`, `between`, `add`), or `function`. */
  readonly type: string;
  /** Of a function: `attribute_exists`, `size`, `if_not_exists`. */
  readonly name?: string;
  readonly args: readonly Operand[];
}

export type Operand = DocumentPath | ExpressionNode | AttributeValue;

export function isPath(operand: Operand): operand is DocumentPath {
  return Array.isArray(operand);
}

export function isNode(operand: Operand): operand is ExpressionNode {
  return !isPath(operand) && 'type' in operand;
}

/** What stands at this path of the item. */
export function valueAt(path: DocumentPath, item: Item): AttributeValue | undefined {
  let current: AttributeValue | undefined = item[String(path[0])];
  for (let depth = 1; depth < path.length && current !== undefined; depth += 1) {
    const step = path[depth];
    current = typeof step === 'number' ? current.L?.[step] : current.M?.[String(step)];
  }
  return current;
}
