/** The shape of a B+tree (I13): order, bounds of separators, equal depth, the chain of leaves. */
import { type BTrees, keyOf, SHIFT, WIDTH } from '../btree.ts';

/** Says what is wrong with the shape of a tree, or nothing. */
export function treeFaults(trees: BTrees, root: number): string[] {
  const found: string[] = [];
  const depths = new Set<number>();
  const leaves: number[] = [];
  const visit = (node: number, low: number, high: number, depth: number): void => {
    const used = trees.used[node]!;
    if (node !== root && used === 0) found.push(`node ${node} is empty`);
    for (let i = 0; i < used; i += 1) {
      const key = trees.slots[(node << SHIFT) + i]!;
      if (i > 0 && key <= trees.slots[(node << SHIFT) + i - 1]!) found.push(`keys of node ${node} unordered`);
      if (trees.leaf[node] === 1 && (key < low || key >= high)) found.push(`key ${key} outside its bounds`);
    }
    if (trees.leaf[node] === 1) {
      depths.add(depth);
      leaves.push(node);
      return;
    }
    for (let i = 0; i < used; i += 1) {
      const from = i === 0 ? low : trees.slots[(node << SHIFT) + i]!;
      const to = i + 1 < used ? trees.slots[(node << SHIFT) + i + 1]! : high;
      visit(trees.slots[(node << SHIFT) + WIDTH + i]!, from, to, depth + 1);
    }
  };
  visit(root, 0, keyOf(2 ** 20, 0), 0);
  if (depths.size > 1) found.push('leaves at different depths');
  leaves.forEach((node, i) => {
    if (trees.next[node] !== (leaves[i + 1] ?? 0)) found.push(`leaf chain broken after node ${node}`);
    if (trees.prev[node] !== (leaves[i - 1] ?? 0)) found.push(`leaf chain broken before node ${node}`);
  });
  return found;
}
