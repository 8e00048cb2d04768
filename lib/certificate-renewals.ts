import type { CertificateSettings } from '@thingstead/contracts/certificate-store';
import type {
  CERTIFICATE_EXPIRIES_ENVIRONMENT,
  CERTIFICATE_RENEWALS_ENVIRONMENT,
  EnvironmentOf,
} from '@thingstead/contracts/environment';
import { DEVICE_POLICY_NAME } from '@thingstead/contracts/names';
import { CLAIMS_BY_EXPIRY } from '@thingstead/contracts/registration';
import { certificateTopic } from '@thingstead/contracts/topics';
import { Duration, Fn, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { failuresInto } from './asynchronous-failures.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { STATE_EXPORTS, stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';
import { invokeFunction, TopicRule } from './topic-rule.ts';

const RULE_NAME = 'thingstead_certificates';
const SHELF_YEARS = 5;

export interface CertificateRenewalsProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

/**
 * Devices get their next certificate before the present one expires, over MQTT, or after it has, over HTTPS. A CA whose key is in KMS
 * signs it, or an operator. Another function counts, once a day, those that expire soon.
 */
export class CertificateRenewals extends Construct {
  readonly #props: CertificateRenewalsProps;
  readonly #table: ITable;

  constructor(scope: Construct, id: string, props: CertificateRenewalsProps) {
    super(scope, id);
    this.#props = props;
    this.#table = stateTable(this, 'registration');
    this.#renewals(settingsOf(props.config));
    this.#expiries();
  }

  #renewals(settings: CertificateSettings): void {
    const { config, alarms, lambdaFolder, api } = this.#props;
    const usesKms = settings.issuer === 'KMS';
    const keyArn = usesKms ? Fn.importValue(STATE_EXPORTS.certificatesKeyArn) : 'none';
    const renewer = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/certificate-renewals`,
      functionName: 'thingstead-certificate-renewals',
      description: 'Gives devices their next certificate, and retires the one before',
      timeout: Duration.seconds(30),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        REGISTRATION_TABLE: this.#table.tableName,
        DEVICE_POLICY: DEVICE_POLICY_NAME,
        CERTIFICATE_SETTINGS: JSON.stringify(settings),
        CA_KEY_ARN: keyArn,
      } satisfies EnvironmentOf<typeof CERTIFICATE_RENEWALS_ENVIRONMENT>,
    });
    const { function: fn, role } = renewer;
    allow(role, ['dynamodb:GetItem', 'dynamodb:PutItem'], this.#table.tableArn);
    if (usesKms) allow(role, 'kms:Sign', keyArn);
    this.#allowIot(role);
    if (settings.shelfYears > 0) api.addDeviceRoutes(fn);
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'certificate-renewals-failed',
      alarms,
      errorImpact:
        'The function of certificate renewals failed three times on what a device said. Nothing is lost: the device keeps its present certificate and asks again. The message has the event and the error; delete it when the cause is gone.',
    });
    this.#rule(renewer, failed.queue);
    alarms.onErrors(fn, {
      name: 'certificate-renewals-function-errors',
      errorImpact:
        'The function of certificate renewals fails: devices do not get their next certificate. They ask again; it matters when it lasts for weeks.',
    });
    alarms.onUndelivered(fn, {
      name: 'certificate-renewals-undelivered',
      errorImpact:
        'A request for a certificate on which the function failed could not be put into the queue of failures either. The device asks again; check the role of the function.',
    });
    alarms.onOwnMetric('CertificateRenewalsRefused', 'certificate-renewals', {
      name: 'certificate-renewals-refused',
      errorImpact:
        'A device was refused its next certificate, or somebody tried to get one for it. The log of the function names thing and reason. A device that is refused until its certificate expires is lost without a visit.',
    });
    alarms.onOwnMetric('CertificateRenewalsPending', 'certificate-renewals', {
      name: 'certificate-renewals-pending',
      errorImpact:
        'A device waits until an operator signs its next certificate: `thingstead certificates pending`, then `thingstead certificates sign --ca NAME`. With the issuer KMS: its CA is missing, make it with `thingstead ca create --kms`.',
    });
  }

  #rule(renewer: NodeFunction, failed: Queue): void {
    const { alarms } = this.#props;
    const asynchronous = failuresInto(this, renewer, failed);
    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'certificate-renewals-errors',
      alarms,
      errorImpact:
        'AWS IoT could not call the function of certificate renewals. Those devices keep their present certificate and ask again.',
    });
    const rule = new TopicRule(this, 'Rule', {
      ruleName: RULE_NAME,
      description: 'A device asks for its next certificate, or says that it works',
      // Raw, so that a message that is no JSON is answered too, and no member of it can be taken for the thing or the certificate.
      sql: [
        "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, principal() AS certificateId, timestamp() AS at",
        `FROM '${certificateTopic('+')}'`,
      ],
      actions: [invokeFunction(renewer.function, this.#iotArn('rule', RULE_NAME))],
      errors: errors.queue,
      alarms,
    });
    // The first request may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);
  }

  #expiries(): void {
    const { config, alarms, lambdaFolder } = this.#props;
    const { function: fn, role } = new NodeFunction(this, 'ExpiriesFunction', {
      folder: `${lambdaFolder}/certificate-expiries`,
      functionName: 'thingstead-certificate-expiries',
      description: 'Counts the certificates that expire soon',
      timeout: Duration.minutes(5),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        REGISTRATION_TABLE: this.#table.tableName,
        NOTICE_DAYS: String(config.certificates.noticeDays),
      } satisfies EnvironmentOf<typeof CERTIFICATE_EXPIRIES_ENVIRONMENT>,
    });
    allow(role, 'dynamodb:Query', `${this.#table.tableArn}/index/${CLAIMS_BY_EXPIRY}`);
    const rule = new Rule(this, 'Daily', {
      ruleName: 'thingstead-certificate-expiries',
      description: 'Once a day: count the certificates that expire soon',
      schedule: Schedule.cron({ minute: '0', hour: '6' }),
    });
    rule.addTarget(new LambdaFunction(fn, { retryAttempts: 2 }));
    alarms.onErrors(fn, {
      name: 'certificate-expiries-function-errors',
      errorImpact:
        'It is not known how many certificates expire soon: `thingstead certificates expiring` lists them. It is counted again tomorrow.',
    });
    alarms.onOwnMetric('CertificatesExpiring', 'certificate-expiries', {
      name: 'certificates-expiring',
      errorImpact: `So many devices, as the value of the metric says, have a certificate that expires within ${config.certificates.noticeDays} days and have not renewed it: they are off, too old to renew, or refused. \`thingstead certificates expiring\` lists them.`,
    });
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_iot.html says which resource each action takes. */
  #allowIot(role: Role): void {
    allow(
      role,
      ['iot:DescribeCertificate', 'iot:UpdateCertificate', 'iot:AttachPolicy', 'iot:AttachThingPrincipal'],
      this.#iotArn('cert', '*'),
    );
    allow(role, 'iot:ListThingPrincipals', this.#iotArn('thing', '*'));
    allow(role, 'iot:DescribeCACertificate', this.#iotArn('cacert', '*'));
    // It takes no resource.
    allow(role, 'iot:RegisterCertificate', '*');
    const topic = certificateTopic('*');
    allow(
      role,
      'iot:Publish',
      ['accepted', 'rejected'].map((verdict) => this.#iotArn('topic', `${topic}/${verdict}`)),
    );
    const reasons = {
      'cert/*':
        'Which certificates are renewed is not known beforehand; AttachPolicy and AttachThingPrincipal take the certificate as their resource.',
      'thing/*': 'Which devices ask is not known beforehand.',
      'cacert/*': 'CAs are registered by the operator, beside this template.',
      [`topic/${topic}/accepted`]: 'Which devices ask is not known beforehand.',
      [`topic/${topic}/rejected`]: 'Which devices ask is not known beforehand.',
    };
    for (const [resource, reason] of Object.entries(reasons)) {
      const arn = `arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${resource}`;
      acknowledge(role, `AwsSolutions-IAM5[Resource::${arn}]`, reason);
    }
    acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'AWS IoT has no resource for RegisterCertificate.');
  }

  #iotArn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
  }
}

function settingsOf({ certificates }: PlatformConfig): CertificateSettings {
  const { issuer, validityDays, renewWindowDays, shelfYears = issuer === 'KMS' ? SHELF_YEARS : 0 } = certificates;
  return { issuer, validityDays, shelfYears, ...(renewWindowDays !== undefined && { renewWindowDays }) };
}
