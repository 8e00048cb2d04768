/** The CORS configuration of a bucket: its XML has other names than the API of the SDKs. */

type Members = Readonly<Record<string, unknown>>;

/** Element of the XML, member of the API. */
const LISTS = [
  ['AllowedHeader', 'AllowedHeaders'],
  ['AllowedMethod', 'AllowedMethods'],
  ['AllowedOrigin', 'AllowedOrigins'],
  ['ExposeHeader', 'ExposeHeaders'],
] as const;

/** The parsed content of `<CORSConfiguration>` as the API has it. */
export function corsFromXml({ CORSRule = [] }: Members): Members {
  const rules = CORSRule as readonly Members[];
  return { CORSRules: rules.map((rule) => renamed(rule, LISTS)) };
}

/** The answer of GetBucketCors as the content of its document. */
export function corsToXml({ CORSRules = [] }: Members): Members {
  const rules = CORSRules as readonly Members[];
  const back = LISTS.map(([element, member]) => [member, element] as const);
  return { CORSRule: rules.map((rule) => renamed(rule, back)) };
}

function renamed(rule: Members, names: readonly (readonly [from: string, to: string])[]): Members {
  const to = new Map(names);
  return Object.fromEntries(Object.entries(rule).map(([name, value]) => [to.get(name) ?? name, value]));
}
