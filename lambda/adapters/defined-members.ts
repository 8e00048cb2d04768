/** A row without members that are undefined, at any depth: DynamoDB stores none. */
export function definedMembers(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const members = Object.entries(row).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members.map(([name, value]) => [name, isMap(value) ? definedMembers(value) : value]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
