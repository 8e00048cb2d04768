/** The control plane of AWS IoT through its SDK. */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingTypeCommand,
  DeleteCACertificateCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteThingCommand,
  DeleteThingTypeCommand,
  DeprecateThingTypeCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  GetPolicyCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  ListAttachedPoliciesCommand,
  ListPolicyVersionsCommand,
  ListPrincipalPoliciesCommand,
  ListPrincipalThingsCommand,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsV2Command,
  ListThingsCommand,
  paginateListThings,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  TestAuthorizationCommand,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot';
import * as x509 from '@peculiar/x509';
import { createCa, issue } from '../support/certificates.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ARN = 'arn:aws:iot:us-east-1:123456789012';

let runtime: Runtime;
let iot: IoTClient;

beforeAll(async () => {
  runtime = await startRuntime();
  // The SDK would repeat a LimitExceededException.
  iot = new IoTClient({ ...runtime.config, maxAttempts: 1 });
});
afterAll(() => runtime.stop());

function document(resource = '*'): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'iot:Publish', Resource: resource }],
  });
}

/** A name that no other test uses. */
function unique(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

async function newCertificate() {
  const { pem: certificatePem } = await issue(await createCa('any'), 'any');
  const { certificateArn = '', certificateId = '' } = await iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem, status: 'ACTIVE' }),
  );
  return { certificateArn, certificateId };
}

function error(name: string, status: number, message: string) {
  return expect.objectContaining({
    name,
    message: expect.stringContaining(message),
    $metadata: expect.objectContaining({ httpStatusCode: status }),
  });
}

describe('DescribeEndpoint', () => {
  it('gives the name that devices connect to', async () => {
    const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
    expect(endpointAddress).toBe('localhost');
  });

  it.each([
    ['iot:Data', error('InvalidRequestException', 400, 'iot:Data-ATS')],
    ['iot:Jobs', error('NotEmulated', 501, 'iot:Jobs')],
  ])('refuses %s', async (endpointType, refusal) => {
    await expect(iot.send(new DescribeEndpointCommand({ endpointType }))).rejects.toEqual(refusal);
  });
});

describe('CA certificates', () => {
  it('are registered with proof of their key, described, deactivated and deleted', async () => {
    // GIVEN
    const ca = await createCa(unique('CA'));
    const { registrationCode = '' } = await iot.send(new GetRegistrationCodeCommand({}));
    expect(registrationCode).toMatch(/^[0-9a-f]{64}$/);
    const registration = { caCertificate: ca.pem, verificationCertificate: (await issue(ca, registrationCode)).pem };

    // WHEN
    const { certificateId } = await iot.send(
      new RegisterCACertificateCommand({ ...registration, setAsActive: true, allowAutoRegistration: true }),
    );

    // THEN
    const described = await iot.send(new DescribeCACertificateCommand({ certificateId }));
    expect(described.certificateDescription).toMatchObject({
      status: 'ACTIVE',
      autoRegistrationStatus: 'ENABLE',
      certificateMode: 'DEFAULT',
      ownedBy: '123456789012',
      certificateArn: `${ARN}:cacert/${certificateId}`,
      creationDate: expect.any(Date),
      validity: { notBefore: expect.any(Date), notAfter: expect.any(Date) },
    });
    await expect(iot.send(new RegisterCACertificateCommand(registration))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      resourceId: certificateId,
      resourceArn: `${ARN}:cacert/${certificateId}`,
    });
    await expect(iot.send(new DeleteCACertificateCommand({ certificateId }))).rejects.toEqual(
      error('CertificateStateException', 406, 'INACTIVE'),
    );
    await iot.send(new UpdateCACertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    await iot.send(new DeleteCACertificateCommand({ certificateId }));
    await expect(iot.send(new DescribeCACertificateCommand({ certificateId }))).rejects.toEqual(
      error('ResourceNotFoundException', 404, String(certificateId)),
    );
  });

  it('are refused when the proof is wrong', async () => {
    // GIVEN
    const ca = await createCa(unique('CA'));
    const { registrationCode = '' } = await iot.send(new GetRegistrationCodeCommand({}));
    const forged = await createCa(ca.name);
    const leaf = (await issue(ca, 'leaf')).pem;
    const refusals = [
      [{}, 'InvalidRequestException'],
      [{ verificationCertificate: (await issue(forged, registrationCode)).pem }, 'CertificateValidationException'],
      [{ verificationCertificate: (await issue(ca, 'other')).pem }, 'RegistrationCodeValidationException'],
      [{ verificationCertificate: 'no certificate' }, 'CertificateValidationException'],
      [{ caCertificate: leaf, certificateMode: 'SNI_ONLY' }, 'CertificateValidationException'],
      [{ certificateMode: 'SNI_ONLY', verificationCertificate: leaf }, 'InvalidRequestException'],
    ] as const;
    // WHEN / THEN
    for (const [change, name] of refusals) {
      const request = new RegisterCACertificateCommand({ caCertificate: ca.pem, ...change });
      await expect(iot.send(request)).rejects.toMatchObject({ name });
    }
  });

  it('of one subject are ten at most', async () => {
    // GIVEN
    const name = unique('CA');
    const cas = await Promise.all(Array.from({ length: 11 }, () => createCa(name)));
    const register = (caCertificate = '') =>
      iot.send(new RegisterCACertificateCommand({ caCertificate, certificateMode: 'SNI_ONLY' }));
    for (const { pem } of cas.slice(0, 10)) await register(pem);
    // WHEN / THEN
    await expect(register(cas[10]?.pem)).rejects.toEqual(error('LimitExceededException', 410, '10'));
  });
});

describe('certificates', () => {
  it('of the service itself come with their keys', async () => {
    const created = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    expect(created.keyPair?.PrivateKey).toContain('BEGIN RSA PRIVATE KEY');
    const { certificateDescription } = await iot.send(
      new DescribeCertificateCommand({ certificateId: created.certificateId }),
    );
    expect(certificateDescription).toMatchObject({ status: 'ACTIVE', certificateMode: 'DEFAULT', customerVersion: 1 });
    expect(certificateDescription?.certificatePem).toBe(created.certificatePem);
  });

  it('are issued for a signing request with its subject', async () => {
    // GIVEN
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=requested',
      keys,
      signingAlgorithm: algorithm,
    });
    // WHEN
    const { certificatePem = '' } = await iot.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: request.toString('pem') }),
    );
    // THEN
    expect(new x509.X509Certificate(certificatePem).subject).toBe('CN=requested');
    const broken = new CreateCertificateFromCsrCommand({ certificateSigningRequest: 'nothing' });
    await expect(iot.send(broken)).rejects.toMatchObject({ name: 'CertificateValidationException' });
  });

  it('of a registered CA are registered, but not as pending', async () => {
    // GIVEN
    const ca = await createCa(unique('CA'));
    const certificatePem = (await issue(ca, 'device')).pem;
    const register = (more: object) => iot.send(new RegisterCertificateCommand({ certificatePem, ...more }));
    await expect(register({})).rejects.toMatchObject({ name: 'CertificateValidationException' });
    await iot.send(new RegisterCACertificateCommand({ caCertificate: ca.pem, certificateMode: 'SNI_ONLY' }));
    // WHEN / THEN
    await expect(register({ status: 'PENDING_ACTIVATION' })).rejects.toEqual(
      error('CertificateStateException', 406, 'PENDING_ACTIVATION'),
    );
    const { certificateId } = await register({ status: 'ACTIVE' });
    await expect(register({})).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      resourceId: certificateId,
    });
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    expect(certificateDescription).toMatchObject({ status: 'ACTIVE', certificateMode: 'SNI_ONLY' });
  });

  it('with a weak key are refused', async () => {
    // GIVEN
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
    const keys = await crypto.subtle.generateKey({ ...algorithm, modulusLength: 1024 }, true, ['sign', 'verify']);
    const weak = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=weak',
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true)],
    });
    // WHEN
    const request = { caCertificate: weak.toString('pem'), certificateMode: 'SNI_ONLY' } as const;
    // THEN
    await expect(iot.send(new RegisterCACertificateCommand(request))).rejects.toEqual(
      error('CertificateValidationException', 400, '1024 bits'),
    );
  });

  it('are deleted only when inactive and detached; forceDelete detaches policies, not things', async () => {
    // GIVEN
    const { certificateArn, certificateId } = await newCertificate();
    const [policyName, thingName] = [unique('policy'), unique('thing')];
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }));
    await iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
    await iot.send(new CreateThingCommand({ thingName }));
    await iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    const remove = (forceDelete: boolean) => iot.send(new DeleteCertificateCommand({ certificateId, forceDelete }));
    // WHEN / THEN
    await expect(remove(true)).rejects.toEqual(error('CertificateStateException', 406, 'ACTIVE'));
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    await expect(remove(true)).rejects.toEqual(error('DeleteConflictException', 409, thingName));
    await iot.send(new DetachThingPrincipalCommand({ thingName, principal: certificateArn }));
    await expect(remove(false)).rejects.toEqual(error('DeleteConflictException', 409, policyName));
    await remove(true);
    await iot.send(new DeletePolicyCommand({ policyName }));
    await expect(iot.send(new DescribeCertificateCommand({ certificateId }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('cannot be set to a pending status', async () => {
    const { certificateId } = await newCertificate();
    await expect(
      iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'PENDING_ACTIVATION' })),
    ).rejects.toEqual(error('CertificateStateException', 406, 'PENDING_ACTIVATION'));
  });
});

describe('things', () => {
  it('keep attributes, type and version', async () => {
    // GIVEN
    const [thingName, thingTypeName] = [unique('thing'), unique('type')];
    await iot.send(new CreateThingTypeCommand({ thingTypeName, thingTypeProperties: { searchableAttributes: ['a'] } }));
    await iot.send(new CreateThingCommand({ thingName, attributePayload: { attributes: { a: '1', b: '2' } } }));
    // WHEN
    await iot.send(
      new UpdateThingCommand({
        thingName,
        thingTypeName,
        attributePayload: { attributes: { b: '', c: '3' }, merge: true },
        expectedVersion: 1,
      }),
    );
    // THEN
    expect(await iot.send(new DescribeThingCommand({ thingName }))).toMatchObject({
      thingName,
      thingTypeName,
      defaultClientId: thingName,
      attributes: { a: '1', c: '3' },
      version: 2,
      thingArn: `${ARN}:thing/${thingName}`,
    });
    const late = new UpdateThingCommand({ thingName, expectedVersion: 1 });
    await expect(iot.send(late)).rejects.toEqual(error('VersionConflictException', 409, 'expected was 1'));
    const gone = new DeleteThingCommand({ thingName, expectedVersion: 1 });
    await expect(iot.send(gone)).rejects.toMatchObject({ name: 'VersionConflictException' });
  });

  it('may be created twice alike, not with other attributes', async () => {
    // GIVEN
    const thingName = unique('thing');
    const first = await iot.send(new CreateThingCommand({ thingName }));
    // WHEN / THEN
    expect((await iot.send(new CreateThingCommand({ thingName }))).thingId).toBe(first.thingId);
    const other = new CreateThingCommand({ thingName, attributePayload: { attributes: { a: '1' } } });
    await expect(iot.send(other)).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      resourceArn: first.thingArn,
    });
  });

  it('have three attributes without a type and fifty with one', async () => {
    // GIVEN
    const thingTypeName = unique('type');
    await iot.send(new CreateThingTypeCommand({ thingTypeName }));
    const attributes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_none, at) => [`a${at}`, '1']));
    const create = (count: number, more: object) =>
      iot.send(
        new CreateThingCommand({
          thingName: unique('thing'),
          attributePayload: { attributes: attributes(count) },
          ...more,
        }),
      );
    // WHEN / THEN
    await create(3, {});
    await expect(create(4, {})).rejects.toMatchObject({ name: 'LimitExceededException' });
    await create(50, { thingTypeName });
    await expect(create(51, { thingTypeName })).rejects.toMatchObject({ name: 'LimitExceededException' });
  });

  it.each([
    ['a name with a space', { thingName: 'a b' }, 'InvalidRequestException'],
    ['an attribute with a space', { attributePayload: { attributes: { a: 'b c' } } }, 'InvalidRequestException'],
    ['a type that does not exist', { thingTypeName: 'none' }, 'ResourceNotFoundException'],
    ['a billing group', { billingGroupName: 'group' }, 'NotEmulated'],
  ])('are refused with %s', async (_what, input, name) => {
    const request = new CreateThingCommand({ thingName: unique('thing'), ...input });
    await expect(iot.send(request)).rejects.toMatchObject({ name });
  });

  it('are listed by attribute and type, in pages', async () => {
    // GIVEN
    const site = unique('site');
    for (const value of [`${site}-1`, `${site}-1`, `${site}-2`]) {
      const attributePayload = { attributes: { site: value } };
      await iot.send(new CreateThingCommand({ thingName: unique('thing'), attributePayload }));
    }
    const count = async (filter: object) => {
      const { things } = await iot.send(new ListThingsCommand({ attributeName: 'site', ...filter }));
      return things?.length;
    };
    // WHEN / THEN
    expect(await count({ attributeValue: `${site}-1` })).toBe(2);
    expect(await count({ attributeName: 'constructor' })).toBe(0);
    expect(await count({ attributeValue: site })).toBe(0);
    expect(await count({ attributeValue: site, usePrefixAttributeValue: true })).toBe(3);
    const pages: number[] = [];
    const filter = { attributeName: 'site', attributeValue: site, usePrefixAttributeValue: true };
    for await (const { things } of paginateListThings({ client: iot, pageSize: 2 }, filter)) {
      pages.push(things?.length ?? 0);
    }
    expect(pages).toEqual([2, 1]);
  });

  it('are attached to principals, and then not deleted', async () => {
    // GIVEN
    const thingName = unique('thing');
    const { certificateArn: principal } = await newCertificate();
    await iot.send(new CreateThingCommand({ thingName }));
    // WHEN
    await iot.send(new AttachThingPrincipalCommand({ thingName, principal, thingPrincipalType: 'EXCLUSIVE_THING' }));
    // THEN
    expect(await iot.send(new ListThingPrincipalsV2Command({ thingName }))).toMatchObject({
      thingPrincipalObjects: [{ principal, thingPrincipalType: 'EXCLUSIVE_THING' }],
    });
    expect(await iot.send(new ListPrincipalThingsCommand({ principal }))).toMatchObject({ things: [thingName] });
    const other = unique('thing');
    await iot.send(new CreateThingCommand({ thingName: other }));
    await expect(iot.send(new AttachThingPrincipalCommand({ thingName: other, principal }))).rejects.toEqual(
      error('InvalidRequestException', 400, thingName),
    );
    await expect(iot.send(new DeleteThingCommand({ thingName }))).rejects.toEqual(
      error('InvalidRequestException', 400, 'attached'),
    );
    await iot.send(new DetachThingPrincipalCommand({ thingName, principal }));
    await iot.send(new DeleteThingCommand({ thingName }));
    await iot.send(new DeleteThingCommand({ thingName }));
  });

  it('types are deleted five minutes after their deprecation', async () => {
    // GIVEN
    const thingTypeName = unique('type');
    await iot.send(new CreateThingTypeCommand({ thingTypeName }));
    const remove = () => iot.send(new DeleteThingTypeCommand({ thingTypeName }));
    // WHEN / THEN
    await expect(remove()).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await iot.send(new DeprecateThingTypeCommand({ thingTypeName }));
    await expect(iot.send(new CreateThingCommand({ thingName: unique('thing'), thingTypeName }))).rejects.toEqual(
      error('InvalidRequestException', 400, 'deprecated'),
    );
    await expect(remove()).rejects.toEqual(error('InvalidRequestException', 400, 'five minutes'));
    await runtime.advance(300);
    await remove();
  });
});

describe('policies', () => {
  it('have five versions at most, one of them in force', async () => {
    // GIVEN
    const policyName = unique('policy');
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }));
    const add = (setAsDefault: boolean) =>
      iot.send(
        new CreatePolicyVersionCommand({ policyName, policyDocument: document(`${ARN}:topic/a`), setAsDefault }),
      );
    for (const setAsDefault of [false, true, false, false]) await add(setAsDefault);
    // WHEN / THEN
    await expect(add(false)).rejects.toEqual(error('VersionsLimitExceededException', 409, '5'));
    expect(await iot.send(new GetPolicyCommand({ policyName }))).toMatchObject({
      defaultVersionId: '3',
      policyDocument: document(`${ARN}:topic/a`),
    });
    const { policyVersions } = await iot.send(new ListPolicyVersionsCommand({ policyName }));
    expect(policyVersions?.map((each) => each.versionId)).toEqual(['5', '4', '3', '2', '1']);
    const remove = (policyVersionId: string) =>
      iot.send(new DeletePolicyVersionCommand({ policyName, policyVersionId }));
    await expect(remove('3')).rejects.toEqual(error('DeleteConflictException', 409, 'default'));
    await expect(iot.send(new DeletePolicyCommand({ policyName }))).rejects.toEqual(
      error('DeleteConflictException', 409, 'versions'),
    );
    for (const id of ['1', '2', '4', '5']) await remove(id);
    // Ids are never used twice.
    expect((await add(false)).policyVersionId).toBe('6');
  });

  it('are attached to certificates, and then not deleted', async () => {
    // GIVEN
    const policyName = unique('policy');
    const { certificateArn: target } = await newCertificate();
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }));
    // WHEN
    await iot.send(new AttachPolicyCommand({ policyName, target }));
    await iot.send(new AttachPolicyCommand({ policyName, target }));
    // THEN
    const attached = { policies: [{ policyName, policyArn: `${ARN}:policy/${policyName}` }] };
    expect(await iot.send(new ListAttachedPoliciesCommand({ target }))).toMatchObject(attached);
    expect(await iot.send(new ListPrincipalPoliciesCommand({ principal: target }))).toMatchObject(attached);
    expect(await iot.send(new ListTargetsForPolicyCommand({ policyName }))).toMatchObject({ targets: [target] });
    await expect(iot.send(new DeletePolicyCommand({ policyName }))).rejects.toEqual(
      error('DeleteConflictException', 409, policyName),
    );
    await iot.send(new DetachPolicyCommand({ policyName, target }));
    await iot.send(new DeletePolicyCommand({ policyName }));
  });

  it('of one certificate are ten at most', async () => {
    // GIVEN
    const { certificateArn: target } = await newCertificate();
    const attach = async () => {
      const policyName = unique('policy');
      await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }));
      return iot.send(new AttachPolicyCommand({ policyName, target }));
    };
    for (let count = 0; count < 10; count += 1) await attach();
    // WHEN / THEN
    await expect(attach()).rejects.toEqual(error('LimitExceededException', 410, '10'));
  });

  it('are not created twice, nor malformed', async () => {
    const policyName = unique('policy');
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }));
    await expect(iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      resourceArn: `${ARN}:policy/${policyName}`,
    });
    const malformed = new CreatePolicyCommand({ policyName: unique('policy'), policyDocument: '{"Statement":[]}' });
    await expect(iot.send(malformed)).rejects.toEqual(error('MalformedPolicyException', 400, 'Statement'));
  });

  it.each([
    ['a certificate that does not exist', `${ARN}:cert/${'0'.repeat(64)}`, 'ResourceNotFoundException'],
    ['a thing group that does not exist', `${ARN}:thinggroup/group`, 'ResourceNotFoundException'],
    ['a name', 'device', 'InvalidRequestException'],
  ])('are not attached to %s', async (_what, target, name) => {
    const policyName = unique('policy');
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document() }));
    await expect(iot.send(new AttachPolicyCommand({ policyName, target }))).rejects.toMatchObject({ name });
  });

  it('can be tried without a connection', async () => {
    // GIVEN
    const [attached, tried] = [unique('policy'), unique('policy')];
    const { certificateArn: principal } = await newCertificate();
    await iot.send(new CreatePolicyCommand({ policyName: attached, policyDocument: document(`${ARN}:topic/a`) }));
    await iot.send(new CreatePolicyCommand({ policyName: tried, policyDocument: document(`${ARN}:topic/b`) }));
    await iot.send(new AttachPolicyCommand({ policyName: attached, target: principal }));
    const authInfos = ['a', 'b', 'c'].map((topic) => ({
      actionType: 'PUBLISH' as const,
      resources: [`${ARN}:topic/${topic}`],
    }));
    // WHEN
    const { authResults } = await iot.send(
      new TestAuthorizationCommand({ principal, authInfos, policyNamesToAdd: [tried] }),
    );
    // THEN
    expect(authResults?.map((each) => each.authDecision)).toEqual(['ALLOWED', 'ALLOWED', 'IMPLICIT_DENY']);
    expect(authResults?.[1]?.allowed?.policies).toMatchObject([{ policyName: tried }]);
  });

  it.each([
    ['a certificate that does not exist', `${ARN}:cert/${'0'.repeat(64)}`, 'ResourceNotFoundException'],
    ['a Cognito identity', 'us-east-1:12345678-1234-1234-1234-123456789012', 'NotEmulated'],
    ['a thing group', `${ARN}:thinggroup/group`, 'NotEmulated'],
  ])('are not tried for %s', async (_what, principal, name) => {
    const authInfos = [{ actionType: 'PUBLISH' as const, resources: [`${ARN}:topic/a`] }];
    await expect(iot.send(new TestAuthorizationCommand({ principal, authInfos }))).rejects.toMatchObject({ name });
  });
});
