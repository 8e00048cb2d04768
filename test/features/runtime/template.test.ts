/** What you test is what you deploy: the runtime runs the template as it stands, permissions included. */

import { synthesize, withEditedTemplate } from '../../support/assembly.ts';
import { createCa, issue } from '../../support/certificates.ts';
import { startPlatformWith } from '../../support/platform.ts';
import { startRuntime } from '../../support/runtime.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';

interface Statement {
  Action: string | string[];
}

/** Takes one action out of every policy of the role that the function with this id has. */
function withoutAction(stackPrefix: RegExp, action: string): string {
  let removed = 0;
  const folder = withEditedTemplate(synthesize(), 'ThingsteadPlatform', (template) => {
    for (const [id, resource] of Object.entries(template.Resources)) {
      if (resource.Type !== 'AWS::IAM::Policy' || !stackPrefix.test(id)) continue;
      const document = resource.Properties?.PolicyDocument as { Statement: Statement[] };
      for (const statement of document.Statement) {
        const actions = [statement.Action].flat();
        if (!actions.includes(action)) continue;
        removed += 1;
        statement.Action = actions.length > 1 ? actions.filter((each) => each !== action) : 'none:Nothing';
      }
    }
  });
  expect(removed).toBeGreaterThan(0);
  return folder;
}

describeLocally('a template of its own', 'a permission taken out of the template', () => {
  it('of the registration function: the device is never active, and the log names role, action and resource', async () => {
    const platform = await startPlatformWith(withoutAction(/^Registration/, 'iot:AttachPolicy'));
    try {
      const ca = await createCa(unique('no-permission'));
      await platform.registerCa(ca);
      const device = await issue(ca, unique('no-permission'));

      await expect(platform.joinFails(device)).resolves.toBe(true);

      expect(await platform.certificateStatus(device)).toBe('PENDING_ACTIVATION');
      const log = await platform.functionLog('registration');
      expect(log).toMatch(
        /AccessDenied.*assumed-role\/[^ ]+ is not authorized to perform: iot:AttachPolicy on resource: arn:aws:iot:[^ ]+/s,
      );
    } finally {
      await platform.stop();
    }
  });

  it('of the rule that stores telemetry: the message ends in the error action, which names the same three', async () => {
    const platform = await startPlatformWith(withoutAction(/^Telemetry/, 'dynamodb:PutItem'));
    try {
      const ca = await createCa(unique('no-put'));
      await platform.registerCa(ca);
      const device = await issue(ca, unique('no-put'));
      await platform.join(device);
      const client = await platform.connect(device);
      await client.publishAsync(`device/${device.thing}/sensor/t/v1`, '{"value":1}', { qos: 1 });
      await client.endAsync();
      await platform.idle();

      const [error] = await platform.receive('telemetryErrors');
      expect(JSON.stringify(error?.failures)).toMatch(
        /assumed-role\/[^ ]+ is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:[^ ]+:table\/thingstead-telemetry-history/,
      );
      expect(await platform.history(device.thing, 't')).toEqual([]);
    } finally {
      await platform.stop();
    }
  });
});

describeLocally('a template of its own', 'a template that the runtime cannot run faithfully', () => {
  it('stops the start, naming stack, logical id and type', async () => {
    const assembly = withEditedTemplate(synthesize(), 'ThingsteadPlatform', ({ Resources }) => {
      Resources.Pipe = { Type: 'AWS::Pipes::Pipe', Properties: {} };
    });

    await expect(startRuntime({ assembly })).rejects.toThrow(/ThingsteadPlatform.*Pipe.*AWS::Pipes::Pipe/s);
  });

  it('stops the start for a property it does not know, naming its path', async () => {
    const assembly = withEditedTemplate(synthesize(), 'ThingsteadPlatform', ({ Resources }) => {
      const [rule] = Object.values(Resources).filter((each) => each.Type === 'AWS::IoT::TopicRule');
      const payload = rule?.Properties?.TopicRulePayload as Record<string, unknown>;
      payload.Shade = 'blue';
    });

    await expect(startRuntime({ assembly })).rejects.toThrow(/AWS::IoT::TopicRule.*TopicRulePayload\.Shade/s);
  });
});
