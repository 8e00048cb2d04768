/**
 * The names that IoT policies may use as variables and condition keys
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html). Names are compared without regard to
 * case, as IAM does with its keys; names of thing attributes keep theirs.
 */
import type { X509Certificate } from 'node:crypto';

/** Attribute of an X.509 name, as policies spell it -> how OpenSSL abbreviates it. */
const NAME_ATTRIBUTES: readonly (readonly [spelling: string, openssl: string])[] = [
  ['DistinguishedNameQualifier', 'dnQualifier'],
  ['Country', 'C'],
  ['Organization', 'O'],
  ['OrganizationalUnit', 'OU'],
  ['State', 'ST'],
  ['CommonName', 'CN'],
  ['SerialNumber', 'serialNumber'],
  ['Title', 'title'],
  ['Surname', 'SN'],
  ['GivenName', 'GN'],
  ['Initials', 'initials'],
  ['Pseudonym', 'pseudonym'],
  ['GenerationQualifier', 'generationQualifier'],
];

/** Kind of alternative name -> the prefix with which OpenSSL prints it. */
const ALTERNATIVE_NAMES: typeof NAME_ATTRIBUTES = [
  ['RFC822Name', 'email'],
  ['DNSName', 'DNS'],
  ['UniformResourceIdentifier', 'URI'],
  ['IPAddress', 'IP Address'],
];

/** Keys that come with the request, by the action that has them. */
const REQUEST_KEYS = new Set([
  'iot:connectattributes',
  'iot:lastwilltopic',
  'iot:includesocketinformation',
  'iot:topic',
]);

/** "Certificate attributes that contain arrays are limited to five items." */
const MAX_VALUES = 5;

export type PolicyVariable =
  | { readonly kind: 'client-id' | 'source-ip' | 'thing-name' | 'thing-type' | 'is-attached' | 'cognito-identity' }
  | { readonly kind: 'thing-attribute'; readonly name: string }
  | { readonly kind: 'certificate-serial' }
  | { readonly kind: 'certificate-keys' }
  | {
      readonly kind: 'certificate-name';
      readonly of: 'subject' | 'issuer' | 'alternative';
      /** As OpenSSL has it. */
      readonly attribute: string;
      /** The value that is meant; `list` means all. */
      readonly which: number | 'list';
    }
  | { readonly kind: 'request'; readonly key: string };

const SIMPLE: Readonly<Record<string, PolicyVariable>> = {
  'aws:sourceip': { kind: 'source-ip' },
  'cognito-identity.amazonaws.com:sub': { kind: 'cognito-identity' },
  'iot:clientid': { kind: 'client-id' },
  'iot:connection.thing.thingname': { kind: 'thing-name' },
  'iot:connection.thing.thingtypename': { kind: 'thing-type' },
  'iot:connection.thing.isattached': { kind: 'is-attached' },
  'iot:certificate.serialnumber': { kind: 'certificate-serial' },
  'iot:certificate.availablekeys': { kind: 'certificate-keys' },
};

/** What a name means; undefined when the runtime cannot resolve it, and so has to refuse it. */
export function parsePolicyVariable(name: string): PolicyVariable | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(SIMPLE, lower)) return SIMPLE[lower];
  if (REQUEST_KEYS.has(lower)) return { kind: 'request', key: lower };
  const attribute = /^iot:connection\.thing\.attributes\[([^\]]+)\]$/i.exec(name)?.[1];
  if (attribute !== undefined) return { kind: 'thing-attribute', name: attribute };
  return parseCertificateName(lower);
}

function parseCertificateName(lower: string): PolicyVariable | undefined {
  const [, of, alternative, name = '', suffix] =
    /^iot:certificate\.(subject|issuer)(\.alternativename)?\.([a-z0-9]+)(?:\.(list|\d))?$/.exec(lower) ?? [];
  if (of !== 'subject' && of !== 'issuer') return undefined;
  // Node.js reads no issuer alternative names and no directory names.
  if (alternative && of === 'issuer') return undefined;
  const names = alternative ? ALTERNATIVE_NAMES : NAME_ATTRIBUTES;
  const [, attribute] = names.find(([spelling]) => spelling.toLowerCase() === name) ?? [];
  if (attribute === undefined) return undefined;
  const which = suffix === 'list' ? 'list' : Number(suffix ?? 0);
  return { kind: 'certificate-name', of: alternative ? 'alternative' : of, attribute, which };
}

/** The values that a certificate gives to policies. */
export interface CertificateValues {
  /** In decimal, as AWS IoT has it. */
  readonly serialNumber: string;
  /** The names of all variables that have a value. */
  readonly availableKeys: readonly string[];
  valuesOf(of: 'subject' | 'issuer' | 'alternative', attribute: string): readonly string[];
}

/** Reads from a certificate what policies may ask for. */
export function certificateValues(x509: X509Certificate): CertificateValues {
  const { subject, issuer } = x509.toLegacyObject();
  const names = { subject: subject as NameObject, issuer: issuer as NameObject };
  const alternatives = parseAlternativeNames(x509.subjectAltName);
  const valuesOf: CertificateValues['valuesOf'] = (of, attribute) =>
    of === 'alternative' ? (alternatives.get(attribute) ?? []) : read(names[of], attribute);
  return {
    serialNumber: BigInt(`0x${x509.serialNumber}`).toString(),
    availableKeys: availableKeys(valuesOf),
    valuesOf,
  };
}

type NameObject = Readonly<Record<string, string | string[] | undefined>>;

function read(name: NameObject, attribute: string): readonly string[] {
  // "Any special character must be prefixed with a backslash" (use-policy-variables, limitations).
  return [name[attribute] ?? []]
    .flat()
    .slice(0, MAX_VALUES)
    .map((value) => value.replace(/[,"\\=<>;]/g, '\\$&'));
}

/** `DNS:example.com, IP Address:1.2.3.4`; a name with a comma in it is quoted as JSON. */
function parseAlternativeNames(text: string | undefined): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const [, kind = '', quoted, plain] of (text ?? '').matchAll(
    /([\w ]+):(?:"((?:[^"\\]|\\.)*)"|([^,]*))(?:, |$)/g,
  )) {
    const values = names.get(kind) ?? [];
    if (values.length < MAX_VALUES) values.push(quoted === undefined ? (plain ?? '') : JSON.parse(`"${quoted}"`));
    names.set(kind, values);
  }
  return names;
}

function availableKeys(valuesOf: CertificateValues['valuesOf']): readonly string[] {
  const groups = [
    ['subject', 'Subject.', NAME_ATTRIBUTES],
    ['issuer', 'Issuer.', NAME_ATTRIBUTES],
    ['alternative', 'Subject.AlternativeName.', ALTERNATIVE_NAMES],
  ] as const;
  return [
    'iot:Certificate.SerialNumber',
    ...groups.flatMap(([of, prefix, names]) =>
      names
        .filter(([, openssl]) => valuesOf(of, openssl).length > 0)
        .map(([spelling]) => `iot:Certificate.${prefix}${spelling}`),
    ),
  ];
}
