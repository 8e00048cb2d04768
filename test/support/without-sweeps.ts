/** Long times for features that are not about presence. */
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
} from '@aws-sdk/client-eventbridge';
import type { Platform } from './platform.ts';

/**
 * Ends what the platform does every minute: presence looks for devices that are gone, and a virtual hour of that takes a second
 * of processor time. On the local runtime only.
 *
 * @returns what lets it go on.
 */
export async function stopSweeps(platform: Platform): Promise<() => Promise<void>> {
  const events = new EventBridgeClient(platform.config);
  const { Rules = [] } = await events.send(new ListRulesCommand({}));
  const sweeps = Rules.filter(({ ScheduleExpression }) => ScheduleExpression === 'rate(1 minute)');
  for (const { Name } of sweeps) await events.send(new DisableRuleCommand({ Name }));
  return async () => {
    for (const { Name } of sweeps) await events.send(new EnableRuleCommand({ Name }));
  };
}

/** Lets time pass without them. */
export async function passWithoutSweeps(platform: Platform, seconds: number): Promise<void> {
  const resume = await stopSweeps(platform);
  await platform.advance(seconds);
  await resume();
}
