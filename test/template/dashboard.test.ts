import { type Resource, resources, synthesize } from './synthesis.ts';

let found: (type: string) => readonly (readonly [string, Resource])[];
let body: string;

beforeAll(() => {
  const { platform } = synthesize();
  found = (type) => resources(platform, type);
  const [dashboard] = found('AWS::CloudWatch::Dashboard');
  body = JSON.stringify(dashboard?.[1].Properties.DashboardBody);
});

describe('the dashboard', () => {
  it('shows every alarm', () => {
    const alarms = found('AWS::CloudWatch::Alarm').map(([id]) => id);
    expect(alarms.length).toBeGreaterThan(80);
    expect(alarms.filter((id) => !body.includes(`"${id}","Arn"`))).toEqual([]);
  });

  it('shows own metrics of functions that exist', () => {
    const shown = [...body.matchAll(/service=[\\"]+([a-z-]+)/g)].map(([, service]) => service);
    const functions = found('AWS::Lambda::Function').map(([, { Properties }]) => Properties.FunctionName);
    expect(shown.length).toBeGreaterThan(3);
    expect(shown.filter((service) => !functions.includes(`thingstead-${service}`))).toEqual([]);
  });
});
