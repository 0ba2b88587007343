/**
 * From a control-flow graph to nested loops, which is all the control flow that WebAssembly has. Strongly connected
 * parts become loops; edges back to a loop's top are cut and what is inside is arranged in the same way. A loop that is
 * entered in several places begins with a switch, so that any graph can be arranged without copying code, and inner loops
 * stay tight although they can be entered from outside.
 */

/** A block, or a loop with what is inside in topological order. */
export interface Item {
  /** All blocks inside. */
  readonly nodes: ReadonlySet<number>;
  /** Blocks by which it is entered; with several, a loop begins with a switch. */
  readonly heads: readonly number[];
  /** The block to which a loop goes back; the block itself if it is none. */
  readonly top: number;
  /** Null for a block. */
  readonly body: readonly Item[] | null;
}

export interface Graph {
  readonly successors: readonly (readonly number[])[];
  /** Nodes that are entered from outside the graph. */
  readonly entries: ReadonlySet<number>;
}

/** All nodes of the graph as a sequence of items, every edge between items going forward. */
export function arrange(graph: Graph): Item[] {
  const predecessors: number[][] = graph.successors.map(() => []);
  graph.successors.forEach((list, from) => {
    for (const to of list) predecessors[to].push(from);
  });
  const nodes = new Set(graph.successors.keys());
  return arrangePart({ successors: graph.successors, predecessors }, nodes, -1, graph.entries);
}

interface Edges {
  readonly successors: readonly (readonly number[])[];
  readonly predecessors: readonly (readonly number[])[];
}

/** Items of the nodes in `part`, without edges to `cut`; `entered`: nodes that are reached from outside the part. */
function arrangePart(
  graph: Edges,
  part: ReadonlySet<number>,
  cut: number,
  entered: ReadonlySet<number>,
): Item[] {
  const edges = (node: number): number[] => graph.successors[node].filter((to) => to !== cut && part.has(to));
  return components(part, edges).map((members): Item => {
    const first = members[0];
    const nodes = new Set(members);
    if (members.length === 1 && !edges(first).includes(first)) {
      return { nodes, heads: [first], top: first, body: null };
    }
    const fromOutside = (node: number): boolean =>
      node !== cut && graph.predecessors[node].some((from) => part.has(from) && !nodes.has(from));
    const heads = members.filter((node) => entered.has(node) || fromOutside(node)).sort((a, b) => a - b);
    // The outermost loop is entered from before it; inner ones only from inside, or by the switch.
    const top = heads.find(fromOutside) ?? heads[0] ?? first;
    if (heads.length === 0) heads.push(top);
    return { nodes, heads, top, body: arrangePart(graph, nodes, top, new Set(heads)) };
  });
}

/** Strongly connected components in topological order (Tarjan 1972). */
function components(part: ReadonlySet<number>, edges: (node: number) => number[]): number[][] {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const found: number[][] = [];
  const visit = (node: number): void => {
    const number = order.size;
    order.set(node, number);
    low.set(node, number);
    open.push(node);
    isOpen.add(node);
    for (const to of edges(node)) {
      if (!order.has(to)) {
        visit(to);
        low.set(node, Math.min(low.get(node)!, low.get(to)!));
      } else if (isOpen.has(to)) low.set(node, Math.min(low.get(node)!, order.get(to)!));
    }
    if (low.get(node) !== number) return;
    const members: number[] = [];
    for (let member = -1; member !== node; ) {
      member = open.pop()!;
      isOpen.delete(member);
      members.push(member);
    }
    found.push(members.reverse());
  };
  for (const node of part) if (!order.has(node)) visit(node);
  return found.reverse();
}
