import type { AnyOperation } from '../../../kernel/service.ts';
import { type NamedValue, readAttributes, requireWritable, withoutAttributes } from '../attributes.ts';
import { sendCode, takeCode } from '../codes.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, required } from '../errors.ts';
import { withAttributes, withVerified } from '../pending-attributes.ts';
import { type Bearer, ownerOf } from '../tokens.ts';
import { publicOperation } from './public-operation.ts';

interface Input {
  readonly AccessToken?: string;
  readonly AttributeName?: string;
}

/** What can be verified by a code. */
const ADDRESSES = ['email', 'phone_number'] as const;

/** People change their own attributes: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html */
export function ownAttributeOperations({ kernel, pools }: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  return {
    UpdateUserAttributes: publicOperation<Input & { readonly UserAttributes?: readonly NamedValue[] }>((input) => {
      const owner = ownerOf(pools, input.AccessToken);
      const { user, users, pool } = owner;
      const client = clientOf(owner);
      const given = readAttributes(input.UserAttributes, { settings: pool.settings, client, before: user.attributes });
      const changed = ADDRESSES.filter((name) => given[name] !== undefined && given[name] !== user.attributes[name]);
      const next = withAttributes(pool.settings, user, given);
      // A new address is not verified any more; where the pool verifies addresses, the code is on its way.
      const taken = changed.filter((name) => next.attributes[name] === given[name]);
      const attributes = {
        ...next.attributes,
        ...Object.fromEntries(taken.map((name) => [`${name}_verified`, 'false'])),
      };
      users.requireFree({ ...user, attributes: { ...attributes, ...next.pending } });
      const updated = users.put({ ...next, attributes, modifiedAt: kernel.clock.now() });
      const asked = changed.filter((name) => pool.settings.autoVerifiedAttributes.includes(name));
      return { CodeDeliveryDetailsList: asked.map((name) => sendCode(kernel, owner, updated, `attribute/${name}`)) };
    }),
    DeleteUserAttributes: publicOperation<Input & { readonly UserAttributeNames?: readonly string[] }>((input) => {
      const owner = ownerOf(pools, input.AccessToken);
      const { user, users, pool } = owner;
      const names = required(input.UserAttributeNames, 'UserAttributeNames');
      const check = { settings: pool.settings, client: clientOf(owner), before: user.attributes };
      for (const name of names) requireWritable(name, check);
      users.put({ ...user, attributes: withoutAttributes(pool, user, names), modifiedAt: kernel.clock.now() });
      return {};
    }),
    GetUserAttributeVerificationCode: publicOperation<Input>(({ AccessToken, AttributeName }) => {
      const owner = ownerOf(pools, AccessToken);
      return { CodeDeliveryDetails: sendCode(kernel, owner, owner.user, `attribute/${addressOf(AttributeName)}`) };
    }),
    VerifyUserAttribute: publicOperation<Input & { readonly Code?: string }>(({ AccessToken, AttributeName, Code }) => {
      const owner = ownerOf(pools, AccessToken);
      const name = addressOf(AttributeName);
      const user = takeCode(kernel, owner, owner.user, `attribute/${name}`, required(Code, 'Code'));
      const verified = withVerified(user, name);
      owner.users.requireFree(verified);
      owner.users.put({ ...verified, modifiedAt: kernel.clock.now() });
      return {};
    }),
  };
}

function clientOf({ pool, claims }: Bearer) {
  return pool.clients.get(String(claims.client_id));
}

function addressOf(name: string | undefined): string {
  const found = ADDRESSES.find((each) => each === required(name, 'AttributeName'));
  if (!found) throw invalidParameter(`${name} is not an attribute that is verified by a code`);
  return found;
}
