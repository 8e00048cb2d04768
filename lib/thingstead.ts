import { type App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readPlatformConfig } from './platform-config.ts';
import { PlatformStack } from './platform-stack.ts';
import { StateStack } from './state-stack.ts';

export interface ThingsteadProps {
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

/**
 * Adds both stacks to an app, and cdk-nag, which stops synthesis on a finding that nobody has explained. The stacks name no
 * account and no region. @throws InvalidConfigError when the app's context is wrong.
 */
export function thingstead(
  app: App,
  { lambdaFolder }: ThingsteadProps,
): { state: StateStack; platform: PlatformStack } {
  const config = readPlatformConfig(app.node.getAllContext());
  const state = new StateStack(app, 'ThingsteadState', {
    config,
    description: 'Thingstead: tables, stream and archive',
    terminationProtection: true,
  });
  const platform = new PlatformStack(app, 'ThingsteadPlatform', {
    config,
    lambdaFolder,
    description: 'Thingstead: rules, functions, policies and alarms',
  });
  platform.addStackDependency(state);
  Tags.of(app).add('project', 'thingstead');
  Tags.of(app).add('stage', config.stage);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { state, platform };
}
