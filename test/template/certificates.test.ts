/** Certificate renewals: permissions as whole documents, the key of the CA, and the route that is there only when it is wanted. */
import { flat, only, resources, synthesize, type Template } from './synthesis.ts';

const account = '<region>:<accountid>';
const withKms = synthesize({ 'thingstead:certificates': { issuer: 'KMS' } });
const byDefault = synthesize();

function statements(prefix: string, platform: Template): readonly string[] {
  const [, { Properties }] = only(platform, 'AWS::IAM::Policy', prefix);
  const { Statement } = flat(Properties.PolicyDocument) as { Statement: Record<string, unknown>[] };
  return Statement.map(({ Effect, Action, Resource, ...others }) => {
    expect([Effect, others]).toEqual(['Allow', {}]);
    return `${[Action].flat().join(' ')}: ${[Resource].flat().join(' ')}`;
  });
}

function renewerOf(platform: Template, ...kms: readonly string[]): readonly string[] {
  const id = (type: string, prefix: string): string => `<${only(platform, type, prefix)[0]}.Arn>`;
  const answer = (verdict: string): string =>
    `arn:<partition>:iot:${account}:topic/device/*/register/certificate/v1/${verdict}`;
  return [
    `logs:CreateLogStream logs:PutLogEvents: ${id('AWS::Logs::LogGroup', 'CertificateRenewalsFunction')}`,
    `dynamodb:GetItem dynamodb:PutItem: arn:<partition>:dynamodb:${account}:table/thingstead-registration`,
    ...kms,
    `iot:AttachPolicy iot:AttachThingPrincipal iot:DescribeCertificate iot:UpdateCertificate: arn:<partition>:iot:${account}:cert/*`,
    `iot:ListThingPrincipals: arn:<partition>:iot:${account}:thing/*`,
    `iot:DescribeCACertificate: arn:<partition>:iot:${account}:cacert/*`,
    'iot:RegisterCertificate: *',
    `iot:Publish: ${answer('accepted')} ${answer('rejected')}`,
    `sqs:SendMessage: ${id('AWS::SQS::Queue', 'CertificateRenewalsFailedQueue')}`,
  ];
}

const routesOf = (platform: Template): readonly unknown[] =>
  resources(platform, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties.RouteKey);

it('lets the function of renewals do what it does, and sign with the key of the CA only where there is one', () => {
  expect(statements('CertificateRenewalsFunctionRole', byDefault.platform)).toEqual(renewerOf(byDefault.platform));
  const sign = 'kms:Sign: <thingstead-certificates-key-arn>';
  expect(statements('CertificateRenewalsFunctionRole', withKms.platform)).toEqual(renewerOf(withKms.platform, sign));
});

it('lets the function of expiries read the index, and nothing besides', () => {
  const [logs] = only(byDefault.platform, 'AWS::Logs::LogGroup', 'CertificateRenewalsExpiries');
  expect(statements('CertificateRenewalsExpiriesFunctionRole', byDefault.platform)).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: <${logs}.Arn>`,
    `dynamodb:Query: arn:<partition>:dynamodb:${account}:table/thingstead-registration/index/by-expiry`,
  ]);
});

it('takes the certificate of the connection from AWS IoT, not from the message', () => {
  const [, { Properties }] = only(byDefault.platform, 'AWS::IoT::TopicRule', 'CertificateRenewals');

  expect(Properties.TopicRulePayload).toMatchObject({
    Sql: [
      "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, principal() AS certificateId, timestamp() AS at",
      "FROM 'device/+/register/certificate/v1'",
    ].join('\n'),
  });
  expect(statements('CertificateRenewalsRuleRole', byDefault.platform)).toEqual([
    `sqs:SendMessage: <${only(byDefault.platform, 'AWS::SQS::Queue', 'CertificateRenewalsErrorQueue')[0]}.Arn>`,
  ]);
});

it('has a route without a token with the issuer KMS only, and takes few requests there', () => {
  const path = 'POST /certificates/renewals';

  expect(routesOf(byDefault.platform)).not.toContain(path);
  expect(routesOf(withKms.platform)).toContain(path);
  const [, stage] = only(withKms.platform, 'AWS::ApiGatewayV2::Stage', 'RestApi');
  expect(stage.Properties.RouteSettings).toEqual({ [path]: { ThrottlingBurstLimit: 20, ThrottlingRateLimit: 10 } });
});

it('keeps the key of the CA in KMS, for signatures only, whatever becomes of the stack', () => {
  const [, key] = only(withKms.state, 'AWS::KMS::Key', 'CertificatesKey');

  expect(key).toMatchObject({
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  });
  expect(resources(byDefault.state, 'AWS::KMS::Key').map(([id]) => id)).not.toContain('CertificatesKey');
});
