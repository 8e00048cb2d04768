import { collectionFunctions } from './collections.ts';
import { encodingFunctions } from './encoding.ts';
import { externalFunctions } from './external.ts';
import { hashFunctions } from './hashes.ts';
import { mathFunctions } from './math.ts';
import { messageFunctions } from './message-context.ts';
import { regularExpressionFunctions } from './regular-expressions.ts';
import type { SqlFunctions } from './sql-function.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './time.ts';

/** Every function, by its name in lower case: case does not matter in names of functions. */
export const FUNCTIONS: SqlFunctions = {
  ...collectionFunctions,
  ...encodingFunctions,
  ...externalFunctions,
  ...hashFunctions,
  ...mathFunctions,
  ...messageFunctions,
  ...regularExpressionFunctions,
  ...stringFunctions,
  ...timeFunctions,
};

/** Functions that AWS has and the runtime has not, with what to say. */
export const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  get_secret: 'the local runtime does not emulate get_secret',
  machinelearning_predict: 'the local runtime does not emulate machinelearning_predict',
};
