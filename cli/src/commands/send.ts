import { randomUUID } from 'node:crypto';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { Reading, type ReadingValue } from '@thingstead/contracts/telemetry';
import { sensorTopic } from '@thingstead/contracts/topics';
import { validate } from '@thingstead/contracts/validate';
import { sensorName, thingName } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { getThing } from '../things.ts';

/** `send`: one reading, to try out what happens to it. */
export const addSend: AddCommand = (program, bind) => {
  program
    .command('send')
    .summary('publishes one reading as the operator, in the name of a thing')
    .argument('<name>', 'thing name', thingName)
    .argument('<sensor>', 'name of the sensor', sensorName)
    .argument('<value>', 'number, true, false or text')
    .option('--unit <unit>', 'SenML unit, for example Cel')
    .action(
      bind(async ({ cloud, output }, name: string, sensor: string, value: string, { unit }: { unit?: string }) => {
        const { thing } = await getThing(cloud(), name);
        const topic = sensorTopic(thing, sensor);
        const reading = {
          id: `operator-${randomUUID()}`,
          value: parseValue(value),
          time: Date.now(),
          ...(unit === undefined ? {} : { unit }),
        };
        const valid = validate(Reading, reading);
        if (!valid.ok)
          throw new CommandError('usage', 'The platform would not take this reading.', { causes: [valid.reason] });
        const client = await cloud().iotData();
        await client.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(reading)) }));
        output.result({ topic, ...reading }, `${topic}  ${JSON.stringify(reading)}`);
        output.say("Published with your own AWS credentials over HTTPS, not with the device's certificate.");
      }),
    );
};

function parseValue(text: string): ReadingValue {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text;
}
