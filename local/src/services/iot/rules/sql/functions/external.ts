/** Functions that ask other services; each is a call that runs before the expression that reads its result. */
import type { Compiled, Evaluate } from '../compilation.ts';
import { toText } from '../convert.ts';
import { type ExternalCall, ExternalFailure } from '../external-call.ts';
import { toJsonText } from '../json.ts';
import type { Scope } from '../scope.ts';
import { argument, type Call, literalText, type SqlFunctions } from './sql-function.ts';

const ROLE_ARN = /^arn:[^:]+:iam::\d{12}:role\/.+$/;

export const externalFunctions: SqlFunctions = {
  aws_lambda: {
    arity: [2, 2],
    takesStar: true,
    compile(args, call) {
      const functionArn = literalText(args, 0, 'the function', call);
      const input = argument(args, 1);
      return external(call, (scope) => {
        const text = toJsonText(input(scope));
        if (text === '') throw new ExternalFailure('aws_lambda: the input is Undefined');
        return { name: 'aws_lambda', functionArn, input: text };
      });
    },
  },
  get_dynamodb: {
    arity: [4, 6],
    compile(args, call) {
      if (args.length === 5) call.context.fail(call.at, 'get_dynamodb takes the name and the value of a sort key');
      const table = argument(args, 0);
      const names = args.length === 6 ? [1, 3] : [1];
      const keys = names.map((at) => ({ name: argument(args, at), value: argument(args, at + 1) }));
      const roleArn = role(args, call);
      return external(call, (scope) => ({
        name: 'get_dynamodb',
        table: required(table, scope, 'get_dynamodb: the table'),
        key: Object.fromEntries(
          keys.map(({ name, value }) => [required(name, scope, 'get_dynamodb: the name of a key'), value(scope)]),
        ),
        roleArn,
      }));
    },
  },
  get_thing_shadow: {
    arity: [2, 3],
    compile(args, call) {
      const thing = argument(args, 0);
      const shadow = args.length === 3 ? argument(args, 1) : undefined;
      const roleArn = role(args, call);
      return external(call, (scope) => ({
        name: 'get_thing_shadow',
        thingName: required(thing, scope, 'get_thing_shadow: the thing'),
        shadowName: shadow && required(shadow, scope, 'get_thing_shadow: the shadow'),
        roleArn,
      }));
    },
  },
  get_registry_data: {
    arity: [3, 3],
    compile(args, call) {
      const operation = literalText(args, 0, 'the operation', call);
      if (operation !== 'DescribeThing' && operation !== 'ListThingGroupsForThing') {
        const known = 'DescribeThing and ListThingGroupsForThing';
        return call.context.fail(call.at, `get_registry_data has no operation '${operation}'; it has ${known}`);
      }
      const thing = argument(args, 1);
      const roleArn = role(args, call);
      return external(call, (scope) => ({
        name: 'get_registry_data',
        operation,
        thingName: required(thing, scope, 'get_registry_data: the thing'),
        roleArn,
      }));
    },
  },
  get_secret: {
    arity: [3, 4],
    compile(args, call) {
      const secret = argument(args, 0);
      const secretType = literalText(args, 1, 'the type', call);
      if (secretType !== 'SecretString' && secretType !== 'SecretBinary') {
        return call.context.fail(
          call.at,
          `the type of a secret is 'SecretString' or 'SecretBinary', not '${secretType}'`,
        );
      }
      const key = args.length === 4 ? argument(args, 2) : undefined;
      const roleArn = role(args, call);
      return external(call, (scope) => ({
        name: 'get_secret',
        secretId: required(secret, scope, 'get_secret: the secret'),
        secretType,
        key: key && required(key, scope, 'get_secret: the key'),
        roleArn,
      }));
    },
  },
};

function external(call: Call, prepare: (scope: Scope) => ExternalCall): Evaluate {
  // The name is that of one of the functions above.
  const index = call.context.addExternal(call.name as ExternalCall['name'], call.at, prepare);
  return (scope) => {
    const result = scope.externals[index];
    if (result instanceof ExternalFailure) throw result;
    return result;
  };
}

/** The last argument; parameters that name a role take no variables (iot-sql-set.html). */
function role(args: readonly Compiled[], call: Call): string {
  const arn = literalText(args, args.length - 1, 'the role', call);
  if (!ROLE_ARN.test(arn)) call.context.fail(call.at, `the last argument of ${call.name} is the ARN of a role`);
  call.context.roleArns.add(arn);
  return arn;
}

function required(evaluate: Evaluate, scope: Scope, what: string): string {
  const text = toText(evaluate(scope));
  if (text === undefined || text === '') throw new ExternalFailure(`${what} is Undefined or empty`);
  return text;
}
