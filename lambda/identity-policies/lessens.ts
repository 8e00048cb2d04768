import * as v from 'valibot';

const Document = v.object({
  Statement: v.array(v.object({ Action: v.string(), Resource: v.array(v.string()) })),
});

/**
 * Whether the policies `after` leave anything out that those `before` allow. They are compared as they are written: a thing that
 * is only covered by its site now counts as left out, and a connection is ended once too often.
 */
export function lessens(before: readonly string[], after: readonly string[]): boolean {
  const kept = new Set(after.flatMap(permissionsOf));
  return before.flatMap(permissionsOf).some((permission) => !kept.has(permission));
}

/** A document of another form, which is none of ours, allows something that ours do not. */
function permissionsOf(document: string): readonly string[] {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Document), document);
  if (!parsed.success) return [document];
  return parsed.output.Statement.flatMap(({ Action, Resource }) => Resource.map((each) => `${Action} ${each}`));
}
