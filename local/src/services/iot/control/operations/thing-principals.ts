import type {
  AttachThingPrincipalCommandInput,
  DetachThingPrincipalCommandInput,
  ListPrincipalThingsCommandInput,
  ListPrincipalThingsResponse,
  ListPrincipalThingsV2CommandInput,
  ListPrincipalThingsV2Response,
  ListThingPrincipalsCommandInput,
  ListThingPrincipalsResponse,
  ListThingPrincipalsV2CommandInput,
  ListThingPrincipalsV2Response,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation, Permission } from '../../../../kernel/service.ts';
import type { ThingPrincipalType } from '../../registry/thing-registry.ts';
import { type ControlPlane, checkPrincipal, on, onPrincipal } from '../control-plane.ts';
import { invalidRequest, required } from '../errors.ts';
import { type Page, page } from '../page.ts';
import { checkThingName } from './things.ts';

interface PrincipalPage {
  readonly maxResults?: number | undefined;
  readonly nextToken?: string | undefined;
  readonly thingPrincipalType?: string | undefined;
}

/** Which principals belong to which things (https://docs.aws.amazon.com/iot/latest/developerguide/attach-to-cert.html). */
export function thingPrincipalOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { kernel, things } = plane;
  /** "iot:thingArn" is AWS's own condition key for these two actions. */
  const attachment = (
    action: string,
    principal: string | undefined,
    thingName: string | undefined,
  ): readonly Permission[] =>
    onPrincipal(action, principal, { 'iot:thingArn': kernel.arn('iot', `thing/${checkThingName(thingName)}`) });
  const principalsOf = (thingName: string | undefined, request: PrincipalPage) =>
    pageOf(things.principalsOf(things.get(checkThingName(thingName)).name), request);
  const thingsOf = (principal: string | undefined, request: PrincipalPage) =>
    pageOf(things.thingsOf(checkPrincipal(plane, principal, 'principal')), request);
  return {
    AttachThingPrincipal: operation<AttachThingPrincipalCommandInput, object>({
      permissions: ({ principal, thingName }) => attachment('AttachThingPrincipal', principal, thingName),
      run({ thingName, principal, thingPrincipalType }) {
        const type = principalType(thingPrincipalType) ?? 'NON_EXCLUSIVE_THING';
        things.attach(checkThingName(thingName), checkPrincipal(plane, principal, 'principal'), type);
        return {};
      },
    }),
    DetachThingPrincipal: operation<DetachThingPrincipalCommandInput, object>({
      permissions: ({ principal, thingName }) => attachment('DetachThingPrincipal', principal, thingName),
      run({ thingName, principal }) {
        things.detach(checkThingName(thingName), required(principal, 'principal'));
        return {};
      },
    }),
    ListThingPrincipals: operation<ListThingPrincipalsCommandInput, ListThingPrincipalsResponse>({
      permissions: ({ thingName }) => on(plane, 'ListThingPrincipals', `thing/${checkThingName(thingName)}`),
      run({ thingName, ...request }) {
        const { items, next } = principalsOf(thingName, request);
        return { principals: items.map(([principal]) => principal), nextToken: next };
      },
    }),
    ListThingPrincipalsV2: operation<ListThingPrincipalsV2CommandInput, ListThingPrincipalsV2Response>({
      permissions: ({ thingName }) => on(plane, 'ListThingPrincipalsV2', `thing/${checkThingName(thingName)}`),
      run({ thingName, ...request }) {
        const { items, next } = principalsOf(thingName, request);
        return {
          thingPrincipalObjects: items.map(([principal, thingPrincipalType]) => ({ principal, thingPrincipalType })),
          nextToken: next,
        };
      },
    }),
    ListPrincipalThings: operation<ListPrincipalThingsCommandInput, ListPrincipalThingsResponse>({
      permissions: ({ principal }) => onPrincipal('ListPrincipalThings', principal),
      run({ principal, ...request }) {
        const { items, next } = thingsOf(principal, request);
        return { things: items.map(([thing]) => thing), nextToken: next };
      },
    }),
    ListPrincipalThingsV2: operation<ListPrincipalThingsV2CommandInput, ListPrincipalThingsV2Response>({
      permissions: ({ principal }) => onPrincipal('ListPrincipalThingsV2', principal),
      run({ principal, ...request }) {
        const { items, next } = thingsOf(principal, request);
        return {
          principalThingObjects: items.map(([thingName, thingPrincipalType]) => ({ thingName, thingPrincipalType })),
          nextToken: next,
        };
      },
    }),
  };
}

function pageOf(
  attachments: ReadonlyMap<string, ThingPrincipalType>,
  { maxResults, nextToken, thingPrincipalType }: PrincipalPage,
): Page<readonly [string, ThingPrincipalType]> {
  const wanted = principalType(thingPrincipalType);
  const fitting = [...attachments].filter(([, type]) => wanted === undefined || type === wanted);
  return page(fitting, ([key]) => key, { size: maxResults, token: nextToken });
}

function principalType(given: string | undefined): ThingPrincipalType | undefined {
  if (given === undefined || given === 'EXCLUSIVE_THING' || given === 'NON_EXCLUSIVE_THING') return given;
  throw invalidRequest(`thingPrincipalType is ${given}; it has to be EXCLUSIVE_THING or NON_EXCLUSIVE_THING`);
}
