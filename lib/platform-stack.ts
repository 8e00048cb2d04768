import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Access } from './access.ts';
import { CertificateRenewals } from './certificate-renewals.ts';
import { Commands } from './commands.ts';
import { Dashboard } from './dashboard.ts';
import { Files } from './files.ts';
import { Firmware } from './firmware.ts';
import { Monitoring } from './monitoring.ts';
import { Notifications } from './notifications.ts';
import { Onboarding } from './onboarding.ts';
import { Pairing } from './pairing.ts';
import type { PlatformConfig } from './platform-config.ts';
import { Presence } from './presence.ts';
import { Registration } from './registration.ts';
import { TELEMETRY_STREAM_NAME } from './resource-names.ts';
import { RestApi } from './rest-api.ts';
import { Rollouts } from './rollouts.ts';
import { Telemetry } from './telemetry.ts';
import { Things } from './things.ts';
import { Voice } from './voice.ts';

export interface PlatformStackProps extends StackProps {
  readonly config: PlatformConfig;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

/** Everything that can be deleted and deployed again: rules, functions, policies, alarms. It keeps nothing. */
export class PlatformStack extends Stack {
  constructor(scope: Construct, id: string, { config, lambdaFolder, ...props }: PlatformStackProps) {
    super(scope, id, props);
    const { alarms } = new Monitoring(this, 'Monitoring', { config });
    const api = new RestApi(this, 'RestApi', { config, alarms });
    new Access(this, 'Access', { config, alarms, lambdaFolder, api });
    new Registration(this, 'Registration', { config, alarms, lambdaFolder });
    new CertificateRenewals(this, 'CertificateRenewals', { config, alarms, lambdaFolder, api });
    new Onboarding(this, 'Onboarding', { config, alarms, lambdaFolder });
    new Telemetry(this, 'Telemetry', { config, alarms, lambdaFolder });
    const notifications = new Notifications(this, 'Notifications', { config, alarms, lambdaFolder });
    new Things(this, 'Things', { config, alarms, lambdaFolder, api });
    new Commands(this, 'Commands', { config, alarms, lambdaFolder, api });
    new Files(this, 'Files', { config, alarms, lambdaFolder, api });
    new Pairing(this, 'Pairing', { config, alarms, lambdaFolder, api });
    new Presence(this, 'Presence', { config, alarms, lambdaFolder, notices: notifications.queue });
    const rollouts = new Rollouts(this, 'Rollouts', { config, alarms, lambdaFolder, api });
    new Firmware(this, 'Firmware', { config, alarms, lambdaFolder, api, rollouts: rollouts.queue });
    if (config.voice) new Voice(this, 'Voice', { config, voice: config.voice, alarms, lambdaFolder });
    // Last: it shows the alarms of all the others.
    new Dashboard(this, 'Dashboard', { alarms: alarms.all, apiId: api.apiId, streamName: TELEMETRY_STREAM_NAME });
  }
}
