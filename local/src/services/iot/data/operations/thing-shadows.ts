import type {
  DeleteThingShadowRequest,
  GetThingShadowRequest,
  ListNamedShadowsForThingRequest,
  UpdateThingShadowRequest,
} from '@aws-sdk/client-iot-data-plane';
import type { Kernel } from '../../../../kernel/kernel.ts';
import type { Permission } from '../../../../kernel/service.ts';
import type { Shadows } from '../../shadow/index.ts';
import { type AnyDataOperation, dataOperation, required } from '../data-operation.ts';
import { paginate } from '../paginate.ts';

interface ShadowInput {
  readonly thingName: string | undefined;
  readonly shadowName?: string | undefined;
}

/**
 * Shadows over HTTP: the answer is the accepted document itself
 * (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-rest-api.html).
 */
export function shadowOperations(kernel: Kernel, shadows: Shadows): Readonly<Record<string, AnyDataOperation>> {
  // "thing/thingOne" or, for a named shadow, "thing/thingOne/shadowOne" (iot-action-resources).
  const on = (action: string, { thingName, shadowName }: ShadowInput): readonly Permission[] => {
    const thing = `thing/${required(thingName, 'thingName')}`;
    return [{ action, resource: kernel.arn('iot', shadowName === undefined ? thing : `${thing}/${shadowName}`) }];
  };
  const idOf = ({ thingName, shadowName }: ShadowInput) => ({
    thingName: required(thingName, 'thingName'),
    shadowName,
  });
  const asPayload = (document: unknown) => ({ payload: Buffer.from(JSON.stringify(document)) });

  return {
    GetThingShadow: dataOperation<GetThingShadowRequest, unknown>({
      permissions: (input) => on('iot:GetThingShadow', input),
      run: (input) => asPayload(shadows.get(idOf(input))),
    }),
    UpdateThingShadow: dataOperation<UpdateThingShadowRequest, unknown>({
      permissions: (input) => on('iot:UpdateThingShadow', input),
      run: (input) => asPayload(shadows.update(idOf(input), input.payload ?? Buffer.alloc(0))),
    }),
    DeleteThingShadow: dataOperation<DeleteThingShadowRequest, unknown>({
      permissions: (input) => on('iot:DeleteThingShadow', input),
      run: (input) => asPayload(shadows.delete(idOf(input))),
    }),
    ListNamedShadowsForThing: dataOperation<ListNamedShadowsForThingRequest, unknown>({
      permissions: ({ thingName }) => on('iot:ListNamedShadowsForThing', { thingName }),
      run({ thingName, nextToken, pageSize }) {
        const page = paginate(shadows.namesOf(required(thingName, 'thingName')), nextToken, pageSize ?? 25, 100);
        return {
          results: page.items,
          ...(page.nextToken !== undefined && { nextToken: page.nextToken }),
          timestamp: Math.floor(kernel.clock.now() / 1000),
        };
      },
    }),
  };
}
