import type {
  CreateEndpointResponse,
  CreatePlatformEndpointCommandInput,
  DeleteEndpointCommandInput,
  GetEndpointAttributesCommandInput,
  GetEndpointAttributesResponse,
  ListEndpointsByPlatformApplicationCommandInput,
  ListEndpointsByPlatformApplicationResponse,
  SetEndpointAttributesCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { page } from '../page.ts';
import type { PlatformApplications } from '../platform-applications.ts';

/** Telephones of an application: https://docs.aws.amazon.com/sns/latest/dg/mobile-platform-endpoint.html */
export function platformEndpointOperations(platforms: PlatformApplications): Readonly<Record<string, AnyOperation>> {
  const on = (action: string, arn: string | undefined) => [{ action: `sns:${action}`, resource: String(arn) }];
  return {
    CreatePlatformEndpoint: operation<CreatePlatformEndpointCommandInput, CreateEndpointResponse>({
      permissions: (input) => on('CreatePlatformEndpoint', input.PlatformApplicationArn),
      run({ PlatformApplicationArn, Token, CustomUserData, Attributes }) {
        const application = platforms.get(PlatformApplicationArn);
        return { EndpointArn: platforms.createEndpoint(application, { ...Attributes, Token, CustomUserData }).arn };
      },
    }),
    GetEndpointAttributes: operation<GetEndpointAttributesCommandInput, GetEndpointAttributesResponse>({
      permissions: (input) => on('GetEndpointAttributes', input.EndpointArn),
      run: (input) => ({ Attributes: Object.fromEntries(platforms.getEndpoint(input.EndpointArn).attributes) }),
    }),
    SetEndpointAttributes: operation<SetEndpointAttributesCommandInput, object>({
      permissions: (input) => on('SetEndpointAttributes', input.EndpointArn),
      run(input) {
        platforms.setEndpointAttributes(platforms.getEndpoint(input.EndpointArn), input.Attributes ?? {});
        return {};
      },
    }),
    DeleteEndpoint: operation<DeleteEndpointCommandInput, object>({
      permissions: (input) => on('DeleteEndpoint', input.EndpointArn),
      run(input) {
        // Deleting one that does not exist is no error.
        platforms.deleteEndpoint(input.EndpointArn ?? '');
        return {};
      },
    }),
    ListEndpointsByPlatformApplication: operation<
      ListEndpointsByPlatformApplicationCommandInput,
      ListEndpointsByPlatformApplicationResponse
    >({
      permissions: (input) => on('ListEndpointsByPlatformApplication', input.PlatformApplicationArn),
      run(input) {
        const { items, NextToken } = page(
          [...platforms.get(input.PlatformApplicationArn).endpoints.values()],
          input.NextToken,
        );
        const Endpoints = items.map(({ arn, attributes }) => ({
          EndpointArn: arn,
          Attributes: Object.fromEntries(attributes),
        }));
        return { Endpoints, NextToken };
      },
    }),
  };
}
