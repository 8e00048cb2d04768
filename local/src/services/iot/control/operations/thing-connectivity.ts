import type {
  DisconnectReasonValue,
  GetIndexingConfigurationResponse,
  GetThingConnectivityDataRequest,
  GetThingConnectivityDataResponse,
  ThingIndexingConfiguration,
  UpdateIndexingConfigurationRequest,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import { AwsError } from '../../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../../kernel/kept-state.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { invalidRequest, optionNotEmulated } from '../errors.ts';
import { checkThingName } from './things.ts';

const OFF = 'OFF';
const THING_MODES: readonly unknown[] = [OFF, 'REGISTRY', 'REGISTRY_AND_SHADOW'];

/**
 * Whether a thing is connected. It is a query of fleet indexing, so connectivity has to be indexed; no other query is
 * emulated (https://docs.aws.amazon.com/iot/latest/developerguide/device-connectivity-status.html).
 */
export function thingConnectivityOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { things, connections, indexing } = plane;
  return {
    GetIndexingConfiguration: operation<unknown, GetIndexingConfigurationResponse>({
      permissions: () => onAll('GetIndexingConfiguration'),
      run: () => ({
        thingIndexingConfiguration: {
          thingIndexingMode: indexing.modes.things,
          thingConnectivityIndexingMode: indexing.modes.connectivity,
        } as ThingIndexingConfiguration,
        thingGroupIndexingConfiguration: { thingGroupIndexingMode: OFF },
      }),
    }),
    UpdateIndexingConfiguration: operation<UpdateIndexingConfigurationRequest, object>({
      permissions: () => onAll('UpdateIndexingConfiguration'),
      run(input) {
        indexing.modes = checkIndexing(input) ?? indexing.modes;
        return {};
      },
    }),
    GetThingConnectivityData: operation<GetThingConnectivityDataRequest, GetThingConnectivityDataResponse>({
      permissions: ({ thingName }) => on(plane, 'GetThingConnectivityData', `thing/${checkThingName(thingName)}`),
      run({ thingName: given, includeSocketInformation }) {
        if (includeSocketInformation) throw optionNotEmulated('includeSocketInformation');
        if (indexing.modes.connectivity === OFF) {
          throw new AwsError(
            'IndexNotReadyException',
            'Thing connectivity is not indexed: UpdateIndexingConfiguration',
          );
        }
        const thingName = things.get(checkThingName(given)).name;
        const client = connections.clients.get(thingName);
        if (client) {
          return { thingName, connected: true, timestamp: new Date(client.connectedAt), disconnectReason: 'NONE' };
        }
        const past = connections.sessions.findPast(thingName);
        if (!past) return { thingName, connected: false };
        const disconnectReason = past.reason as DisconnectReasonValue;
        return { thingName, connected: false, timestamp: new Date(past.disconnectedAt), disconnectReason };
      },
    }),
  };
}

/** What fleet indexing indexes, one of the modes of ThingIndexingConfiguration each. */
interface IndexingModes {
  readonly things: string;
  readonly connectivity: string;
}

/** The indexing configuration of the account. */
export class Indexing {
  modes: IndexingModes = { things: OFF, connectivity: OFF };

  *save(): Generator<KeptRecord> {
    yield ['indexing', this.modes];
  }

  restore(records: KeptRecords): void {
    this.modes = records.get('indexing') ?? this.modes;
  }
}

function checkIndexing(input: UpdateIndexingConfigurationRequest): IndexingModes | undefined {
  if ((input.thingGroupIndexingConfiguration?.thingGroupIndexingMode ?? OFF) !== OFF) {
    throw optionNotEmulated('the index of thing groups');
  }
  const given = input.thingIndexingConfiguration;
  if (given === undefined) return undefined;
  const { thingIndexingMode, thingConnectivityIndexingMode = OFF, ...others } = given;
  const [other] = Object.entries(others).find(([, value]) => value !== undefined && value !== OFF) ?? [];
  if (other) throw optionNotEmulated(`${other} of fleet indexing`);
  if (!THING_MODES.includes(thingIndexingMode)) {
    throw invalidRequest(`thingIndexingMode is ${thingIndexingMode}; it has to be ${THING_MODES.join(' or ')}`);
  }
  if (thingConnectivityIndexingMode !== OFF && thingConnectivityIndexingMode !== 'STATUS') {
    throw invalidRequest(
      `thingConnectivityIndexingMode is ${thingConnectivityIndexingMode}; it has to be OFF or STATUS`,
    );
  }
  if (thingIndexingMode === OFF && thingConnectivityIndexingMode !== OFF) {
    throw invalidRequest('thingConnectivityIndexingMode needs a thingIndexingMode other than OFF');
  }
  return { things: String(thingIndexingMode), connectivity: thingConnectivityIndexingMode };
}
