import { DEVICE_POLICY_NAME, TELEMETRY_RULE_NAME } from '@thingstead/contracts/names';
import { Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import type { Construct } from 'constructs';

/** Resolved for MQTT only, and only when the client id is the name of a thing that the certificate is attached to. */
const THING = `\${iot:Connection.Thing.ThingName}`;

/** For HTTPS, where there is no client id. Registration lets in only certificates whose common name is the thing's name. */
const COMMON_NAME = `\${iot:Certificate.Subject.CommonName}`;

/** Topics under `device/{thing}/` on which a device speaks. In a policy `*` also stands for slashes, `+` and `#` are letters. */
const PUBLISHED = [
  'sensor/*/v1',
  // And `register/certificate/v1`.
  'register*/v1',
  'lwt/v1',
  'pairing/v1',
  'command/*/v1/outcome',
  'files/*/v1',
  'firmware/*/v1',
];

/** Shadow requests, of the classic shadow and of named ones: `update`, `name/config/update`. No delete: state is kept. */
const SHADOW_REQUESTS = ['*get', '*update'];

/**
 * The one policy of all devices: a device reaches its own topics and no other's, as the thing it is attached to. Everything
 * that is under its own name it may hear; what it may say is listed. AWS IoT allows 2 048 characters without white space:
 * https://docs.aws.amazon.com/general/latest/gr/iot-core.html. A test holds it there for the longest region name.
 */
export function devicePolicy(scope: Construct): CfnPolicy {
  const arn = (kind: 'client' | 'topic' | 'topicfilter', resourceName: string): string =>
    Stack.of(scope).formatArn({ service: 'iot', resource: kind, resourceName });
  const heard = (kind: 'topic' | 'topicfilter'): string[] => [
    arn(kind, `device/${THING}/*`),
    arn(kind, `$aws/things/${THING}/shadow/*`),
  ];
  return new CfnPolicy(scope, 'DevicePolicy', {
    policyName: DEVICE_POLICY_NAME,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'iot:Connect',
          Resource: arn('client', THING),
          Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } },
        },
        {
          Effect: 'Allow',
          Action: 'iot:Publish',
          Resource: [
            ...PUBLISHED.map((topic) => arn('topic', `device/${THING}/${topic}`)),
            ...SHADOW_REQUESTS.map((request) => arn('topic', `$aws/things/${THING}/shadow/${request}`)),
            arn('topic', `$aws/rules/${TELEMETRY_RULE_NAME}/device/${THING}/sensor/*/v1`),
          ],
        },
        // Receive is asked about topics only, Subscribe about topic filters only.
        {
          Effect: 'Allow',
          Action: ['iot:Receive', 'iot:Subscribe'],
          Resource: [...heard('topic'), ...heard('topicfilter')],
        },
        { Effect: 'Allow', Action: 'iot:Publish', Resource: arn('topic', `device/${COMMON_NAME}/sensor/*/v1`) },
      ],
    },
  });
}
