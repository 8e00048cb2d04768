import type {
  AddPermissionCommandInput,
  AddPermissionResponse,
  GetPolicyCommandInput,
  GetPolicyResponse,
  RemovePermissionCommandInput,
} from '@aws-sdk/client-lambda';
import type { PolicyStatement } from '../../../iam/policy-document.ts';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { conflict, invalidValue, notEmulatedMember, resourceNotFound } from '../errors.ts';
import type { Functions } from '../functions.ts';

/** AddPermission: one statement of the function's own policy. https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html */
export function addPermission(functions: Functions): AnyOperation {
  return operation<AddPermissionCommandInput, AddPermissionResponse>({
    permissions: (input) => [functions.permission('AddPermission', input.FunctionName, input.Qualifier)],
    run(input) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      const { StatementId: id = '', Action = '', Principal = '' } = input;
      if (!/^[\w-]{1,100}$/.test(id)) throw invalidValue(`StatementId "${id}" must be 1 to 100 of a-zA-Z0-9-_`);
      if (!/^(lambda:[*]|lambda:[a-zA-Z]+|[*])$/.test(Action))
        throw invalidValue(`Action "${Action}" is no action of Lambda.`);
      for (const member of ['FunctionUrlAuthType', 'InvokedViaFunctionUrl', 'PrincipalOrgID'] as const) {
        if (input[member] !== undefined) throw notEmulatedMember('AddPermission', member, 'leave it out');
      }
      if (fn.hasStatement(id)) {
        throw conflict(
          `The statement id (${id}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        );
      }
      const statement: PolicyStatement = {
        Sid: id,
        Effect: 'Allow',
        Principal: principalOf(Principal),
        Action,
        Resource: fn.arn,
        ...conditionOf(input),
      };
      fn.addStatement(id, statement);
      return { Statement: JSON.stringify(statement) };
    },
  });
}

function principalOf(principal: string): NonNullable<PolicyStatement['Principal']> {
  if (principal === '*') return '*';
  // Alexa's services are of amazon.com: `alexa-connectedhome`, `alexa-appkit`.
  if (/^[\w.-]+\.amazon(?:aws)?\.com$/.test(principal)) return { Service: principal };
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  if (principal.startsWith('arn:')) return { AWS: principal };
  throw invalidValue('The provided principal was invalid. Please check the principal and try again.');
}

function conditionOf({
  SourceArn,
  SourceAccount,
  EventSourceToken,
}: AddPermissionCommandInput): Pick<PolicyStatement, 'Condition'> {
  const Condition = {
    ...((SourceAccount || EventSourceToken) && {
      StringEquals: {
        ...(SourceAccount && { 'AWS:SourceAccount': SourceAccount }),
        ...(EventSourceToken && { 'lambda:EventSourceToken': EventSourceToken }),
      },
    }),
    ...(SourceArn && { ArnLike: { 'AWS:SourceArn': SourceArn } }),
  };
  return Object.keys(Condition).length > 0 ? { Condition } : {};
}

export function removePermission(functions: Functions): AnyOperation {
  return operation<RemovePermissionCommandInput, Record<string, never>>({
    permissions: (input) => [functions.permission('RemovePermission', input.FunctionName, input.Qualifier)],
    run(input) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      const id = input.StatementId ?? '';
      if (!fn.hasStatement(id)) throw resourceNotFound(`Statement ${id} is not found in resource policy.`);
      fn.removeStatement(id);
      return {};
    },
  });
}

export function getPolicy(functions: Functions): AnyOperation {
  return operation<GetPolicyCommandInput, GetPolicyResponse>({
    permissions: (input) => [functions.permission('GetPolicy', input.FunctionName, input.Qualifier)],
    run(input) {
      const { policy, revisionId } = functions.get(input.FunctionName, input.Qualifier);
      if (!policy) throw resourceNotFound('The resource you requested does not exist.');
      return { Policy: JSON.stringify(policy), RevisionId: revisionId };
    },
  });
}
