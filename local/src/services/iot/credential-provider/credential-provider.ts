import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { WireRequest, WireResponse } from '../../../kernel/wire.ts';
import type { ThingRegistry } from '../registry/thing-registry.ts';
import type { RoleAlias, RoleAliases } from '../role-aliases/role-aliases.ts';
import type { Certificate, IotAuthorizer } from '../types.ts';

const PATH = /^\/role-aliases\/([^/]+)\/credentials$/;
const THING_HEADER = 'x-amzn-iot-thingname';

export interface CredentialProviderOptions {
  readonly roleAliases: RoleAliases;
  readonly things: ThingRegistry;
  readonly authorizer: IotAuthorizer;
}

/** Answers a device's request; undefined when the path is none of its own. Throws AwsError. */
export type CredentialProvider = (
  request: WireRequest,
  certificate: Certificate,
  sourceIp: string | undefined,
) => Promise<WireResponse> | undefined;

/**
 * Temporary credentials of a role for a device certificate, `GET /role-aliases/<alias>/credentials`
 * (https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html). The certificate's IoT policies have
 * to allow `iot:AssumeRoleWithCertificate`, and the role has to trust `credentials.iot.amazonaws.com`.
 */
export function createCredentialProvider(kernel: Kernel, options: CredentialProviderOptions): CredentialProvider {
  const { roleAliases, authorizer } = options;

  async function answer(name: string, request: WireRequest, certificate: Certificate, sourceIp: string | undefined) {
    if (request.method !== 'GET') throw refusal(`${request.method} is not a method of this path; GET is`, 405);
    const allowed = authorizer.allows({
      principal: { kind: 'certificate', certificate },
      action: 'iot:AssumeRoleWithCertificate',
      resource: `rolealias/${name}`,
      protocol: 'https',
      clientId: undefined,
      sourceIp,
    });
    if (!allowed) throw denied();
    const alias = roleAliases.find(name);
    if (!alias) throw refusal('Role alias does not exist', 404);
    const sessionKeys = keysOf(options.things, certificate, request.headers[THING_HEADER]);
    const session = await assume(kernel, alias, certificate.certificateId);
    const credentials = kernel.iam.issueCredentials({ ...session, sessionKeys }, alias.durationSeconds);
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials;
    const expiration = `${new Date(expiresAt).toISOString().slice(0, 19)}Z`;
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ credentials: { accessKeyId, secretAccessKey, sessionToken, expiration } }),
    };
  }

  return (request, certificate, sourceIp) => {
    const name = PATH.exec(request.path)?.[1];
    return name === undefined ? undefined : answer(unescaped(name), request, certificate, sourceIp);
  };
}

/** What the role's policies may ask for; AWS resolves the thing only when the device names it. */
function keysOf(
  things: ThingRegistry,
  { arn, certificateId }: Certificate,
  thingName: string | undefined,
): Readonly<Record<string, string>> {
  const keys = { 'credentials-iot:awscertificateid': certificateId };
  if (thingName === undefined) return keys;
  const thing = things.isAttached(arn, thingName) ? things.find(thingName) : undefined;
  if (!thing) throw refusal('Invalid thing name passed', 400);
  return {
    ...keys,
    'credentials-iot:thingname': thing.name,
    ...(thing.typeName !== undefined && { 'credentials-iot:thingtypename': thing.typeName }),
  };
}

async function assume(kernel: Kernel, alias: RoleAlias, sessionName: string) {
  const provider = kernel.serviceCaller('credentials.iot.amazonaws.com', alias.arn);
  try {
    const session = kernel.iam.assumeRole(alias.roleArn, provider, sessionName);
    if (session.kind !== 'role') throw denied();
    const { Role } = await kernel.call<{ readonly Role: { readonly MaxSessionDuration?: number } }>(
      'iam',
      'GetRole',
      { RoleName: session.roleName },
      { kind: 'deployment', arn: alias.arn, accountId: kernel.accountId },
    );
    if (alias.durationSeconds <= (Role.MaxSessionDuration ?? alias.durationSeconds)) return session;
    kernel.log.warn('credentials refused: the role alias asks for more than MaxSessionDuration', {
      role: alias.roleArn,
    });
    throw denied();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    kernel.log.info('credentials refused', { roleAlias: alias.name, reason: error.message });
    throw denied();
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal('The path has a broken percent-encoding', 400);
  }
}

function denied(): AwsError {
  return refusal('Access Denied', 403);
}

function refusal(message: string, status: number): AwsError {
  const codes: Readonly<Record<number, string>> = { 403: 'AccessDeniedException', 404: 'ResourceNotFoundException' };
  return new AwsError(codes[status] ?? 'InvalidRequestException', message, status);
}
