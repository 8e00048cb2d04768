export type Ordered =
  | { readonly ordered: readonly string[]; readonly cycle?: undefined }
  | { readonly ordered?: undefined; readonly cycle: readonly string[] };

/** Ids so that each comes after those it depends on, otherwise in the given order; or the ids of a cycle. */
export function inOrder(ids: readonly string[], dependenciesOf: (id: string) => Iterable<string>): Ordered {
  const known = new Set(ids);
  const ordered: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];

  const visit = (id: string): readonly string[] | undefined => {
    if (done.has(id) || !known.has(id)) return undefined;
    const at = path.indexOf(id);
    if (at >= 0) return path.slice(at);
    path.push(id);
    for (const dependency of dependenciesOf(id)) {
      const cycle = visit(dependency);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(id);
    ordered.push(id);
    return undefined;
  };

  for (const id of ids) {
    const cycle = visit(id);
    if (cycle) return { cycle };
  }
  return { ordered };
}
