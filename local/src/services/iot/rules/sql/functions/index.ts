import { collectionFunctions } from './collections.ts';
import { encodingFunctions } from './encoding.ts';
import { externalFunctions } from './external.ts';
import { hashFunctions } from './hashes.ts';
import { mathFunctions } from './math.ts';
import { messageFunctions } from './message-context.ts';
import { regularExpressionFunctions } from './regular-expressions.ts';
import type { SqlFunction } from './sql-function.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './time.ts';

/** Every function, by its name in lower case: case does not matter in names of functions. */
export const FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(
  [
    collectionFunctions,
    encodingFunctions,
    externalFunctions,
    hashFunctions,
    mathFunctions,
    messageFunctions,
    regularExpressionFunctions,
    stringFunctions,
    timeFunctions,
  ].flatMap((each) => Object.entries(each)),
);

/** Functions that AWS has and the runtime has not. */
export const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set(['machinelearning_predict']);
