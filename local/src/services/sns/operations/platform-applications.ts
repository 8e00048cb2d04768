import type {
  CreatePlatformApplicationCommandInput,
  CreatePlatformApplicationResponse,
  DeletePlatformApplicationCommandInput,
  GetPlatformApplicationAttributesCommandInput,
  GetPlatformApplicationAttributesResponse,
  ListPlatformApplicationsCommandInput,
  ListPlatformApplicationsResponse,
  SetPlatformApplicationAttributesCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { page } from '../page.ts';
import type { PlatformApplications } from '../platform-applications.ts';

/** Applications that are pushed to: https://docs.aws.amazon.com/sns/latest/api/API_CreatePlatformApplication.html */
export function platformApplicationOperations(platforms: PlatformApplications): Readonly<Record<string, AnyOperation>> {
  const on = (action: string, arn: string | undefined) => [{ action: `sns:${action}`, resource: String(arn) }];
  return {
    CreatePlatformApplication: operation<CreatePlatformApplicationCommandInput, CreatePlatformApplicationResponse>({
      permissions: ({ Platform, Name }) => on('CreatePlatformApplication', platforms.arnOf(Platform, Name)),
      run: ({ Platform, Name, Attributes }) => ({
        PlatformApplicationArn: platforms.create(Platform, Name, Attributes ?? {}).arn,
      }),
    }),
    DeletePlatformApplication: operation<DeletePlatformApplicationCommandInput, object>({
      permissions: (input) => on('DeletePlatformApplication', input.PlatformApplicationArn),
      run(input) {
        // Deleting one that does not exist is no error.
        platforms.delete(input.PlatformApplicationArn ?? '');
        return {};
      },
    }),
    GetPlatformApplicationAttributes: operation<
      GetPlatformApplicationAttributesCommandInput,
      GetPlatformApplicationAttributesResponse
    >({
      permissions: (input) => on('GetPlatformApplicationAttributes', input.PlatformApplicationArn),
      run: (input) => ({
        Attributes: Object.fromEntries(platforms.get(input.PlatformApplicationArn).attributes),
      }),
    }),
    SetPlatformApplicationAttributes: operation<SetPlatformApplicationAttributesCommandInput, object>({
      permissions: (input) => on('SetPlatformApplicationAttributes', input.PlatformApplicationArn),
      run(input) {
        platforms.setAttributes(platforms.get(input.PlatformApplicationArn), input.Attributes ?? {});
        return {};
      },
    }),
    ListPlatformApplications: operation<ListPlatformApplicationsCommandInput, ListPlatformApplicationsResponse>({
      permissions: () => on('ListPlatformApplications', '*'),
      run(input) {
        const { items, NextToken } = page(platforms.all, input.NextToken);
        const PlatformApplications = items.map(({ arn, attributes }) => ({
          PlatformApplicationArn: arn,
          Attributes: Object.fromEntries(attributes),
        }));
        return { PlatformApplications, NextToken };
      },
    }),
  };
}
