import { XMLParser } from 'fast-xml-parser';
import { escapeXml } from '../../../http/protocols/index.ts';
import { AwsError } from '../../../kernel/errors.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Elements that are lists, also when there is one. */
const LISTS: ReadonlySet<string> = new Set([
  'AllowedHeader',
  'AllowedMethod',
  'AllowedOrigin',
  'CORSRule',
  'CloudFunctionConfiguration',
  'Event',
  'ExposeHeader',
  'FilterRule',
  'Object',
  'Part',
  'QueueConfiguration',
  'Rule',
  'Tag',
  'TopicConfiguration',
]);

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  isArray: (name) => LISTS.has(name),
});

/**
 * The content of the root element of a request body.
 *
 * @throws AwsError MalformedXML
 */
export function parseXml(body: Buffer, root: string): Readonly<Record<string, unknown>> {
  let document: Readonly<Record<string, unknown>>;
  try {
    document = parser.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>;
  } catch {
    document = {};
  }
  const content = document[root];
  if (content === '') return {};
  if (typeof content === 'object' && content !== null) return content as Readonly<Record<string, unknown>>;
  throw new AwsError(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema: there is no ${root}`,
  );
}

function element(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map((each) => element(name, each)).join('');
  if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`;
  if (typeof value === 'object') return `<${name}>${members(value)}</${name}>`;
  return `<${name}>${escapeXml(String(value))}</${name}>`;
}

function members(value: object): string {
  return Object.entries(value)
    .map(([name, each]) => element(name, each))
    .join('');
}

/** A document of S3. A list becomes one element per entry, named as its member. */
export function toXml(root: string, content: object | string): string {
  const inner = typeof content === 'string' ? escapeXml(content) : members(content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inner}</${root}>`;
}

/** The document of an error, which has no namespace. */
export function errorXml(content: object): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${members(content)}</Error>`;
}
