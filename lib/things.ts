import type { EnvironmentOf, THINGS_ENVIRONMENT } from '@thingstead/contracts/environment';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';

export interface ThingsProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

/** People list and find things, see what was measured, and see and set state. Nothing here scans a table. */
export class Things extends Construct {
  constructor(scope: Construct, id: string, { config, alarms, lambdaFolder, api }: ThingsProps) {
    super(scope, id);
    const things = stateTable(this, 'things');
    const access = stateTable(this, 'access');
    const history = stateTable(this, 'telemetryHistory');
    const aggregates = stateTable(this, 'telemetryAggregates');
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/things`,
      functionName: 'thingstead-things',
      description: 'Answers the routes about things: lists, labels, readings, state',
      // The gateway itself waits for 30 s.
      timeout: Duration.seconds(25),
      memoryMegabytes: 512,
      logRetention: config.logRetentionDays,
      environment: {
        THINGS_TABLE: things.tableName,
        ACCESS_TABLE: access.tableName,
        HISTORY_TABLE: history.tableName,
        AGGREGATES_TABLE: aggregates.tableName,
      } satisfies EnvironmentOf<typeof THINGS_ENVIRONMENT>,
    });
    const { name, site, type, firmware, connected } = THINGS_INDEXES;
    allow(role, ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem'], things.tableArn);
    allow(
      role,
      'dynamodb:Query',
      [name, site, type, firmware, connected].map((index) => `${things.tableArn}/index/${index}`),
    );
    allow(role, ['dynamodb:BatchGetItem', 'dynamodb:Query'], access.tableArn);
    allow(role, 'dynamodb:Query', [history.tableArn, aggregates.tableArn]);
    const shadows = Stack.of(this).formatArn({ service: 'iot', resource: 'thing', resourceName: '*' });
    allow(role, ['iot:GetThingShadow', 'iot:UpdateThingShadow'], shadows);
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:thing/*]',
      'Whose state is read or set is not known beforehand; the function asks the grants of the caller for each thing.',
    );
    api.addRoutes('things', fn);
    alarms.onErrors(fn, {
      name: 'things-function-errors',
      errorImpact:
        'The function of the routes about things does not start or ends too late: people cannot list things or see their state.',
    });
  }
}
