import type {
  CreateThingCommandInput,
  CreateThingResponse,
  DeleteThingCommandInput,
  DescribeThingCommandInput,
  DescribeThingResponse,
  ListThingsCommandInput,
  ListThingsResponse,
  UpdateThingCommandInput,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { Thing } from '../../registry/thing-registry.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { invalidRequest, matching, optionNotEmulated } from '../errors.ts';
import { page } from '../page.ts';

const THING_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;

/** A thing name as the API model has it. Throws InvalidRequestException. */
export function checkThingName(name: string | undefined): string {
  return matching(name, 'thingName', THING_NAME);
}

/** Administration of things (https://docs.aws.amazon.com/iot/latest/developerguide/thing-registry.html). */
export function thingOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { things } = plane;
  const onThing = (action: string, name: string | undefined) => on(plane, action, `thing/${checkThingName(name)}`);
  return {
    CreateThing: operation<CreateThingCommandInput, CreateThingResponse>({
      permissions: ({ thingName }) => onThing('CreateThing', thingName),
      run({ thingName, thingTypeName, attributePayload, billingGroupName }) {
        if (billingGroupName !== undefined) throw optionNotEmulated('billing groups');
        const thing = things.create(checkThingName(thingName), thingTypeName, attributePayload?.attributes ?? {});
        return { thingName: thing.name, thingArn: thing.arn, thingId: thing.id };
      },
    }),
    DescribeThing: operation<DescribeThingCommandInput, DescribeThingResponse>({
      permissions: ({ thingName }) => onThing('DescribeThing', thingName),
      run({ thingName }) {
        const thing = things.get(checkThingName(thingName));
        return { ...summary(thing), thingId: thing.id, defaultClientId: thing.name };
      },
    }),
    UpdateThing: operation<UpdateThingCommandInput, object>({
      permissions: ({ thingName }) => onThing('UpdateThing', thingName),
      run(input) {
        things.update(checkThingName(input.thingName), {
          typeName: input.thingTypeName,
          removeType: input.removeThingType === true,
          attributes: input.attributePayload?.attributes,
          merge: input.attributePayload?.merge === true,
          expectedVersion: input.expectedVersion,
        });
        return {};
      },
    }),
    DeleteThing: operation<DeleteThingCommandInput, object>({
      permissions: ({ thingName }) => onThing('DeleteThing', thingName),
      run({ thingName, expectedVersion }) {
        things.delete(checkThingName(thingName), expectedVersion);
        return {};
      },
    }),
    ListThings: operation<ListThingsCommandInput, ListThingsResponse>({
      permissions: () => onAll('ListThings'),
      run(input) {
        const fits = filterOf(input);
        const { items, next } = page([...things.all].filter(fits), ({ name }) => name, {
          size: input.maxResults,
          token: input.nextToken,
        });
        return { things: items.map(summary), nextToken: next };
      },
    }),
  };
}

function summary({ name, arn, typeName, attributes, version }: Thing) {
  return { thingName: name, thingArn: arn, thingTypeName: typeName, attributes: { ...attributes }, version };
}

function filterOf(input: ListThingsCommandInput): (thing: Thing) => boolean {
  const { attributeName, attributeValue, thingTypeName, usePrefixAttributeValue } = input;
  if (attributeValue !== undefined && attributeName === undefined) {
    throw invalidRequest('attributeValue needs attributeName');
  }
  return (thing) => {
    if (thingTypeName !== undefined && thing.typeName !== thingTypeName) return false;
    if (attributeName === undefined) return true;
    const value = Object.hasOwn(thing.attributes, attributeName) ? thing.attributes[attributeName] : undefined;
    if (value === undefined || attributeValue === undefined) return value !== undefined;
    return usePrefixAttributeValue ? value.startsWith(attributeValue) : value === attributeValue;
  };
}
