import { createHash } from 'node:crypto';
import { md2 } from './md2.ts';
import { ofTexts, type SqlFunction, type SqlFunctions } from './sql-function.ts';

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-sql-function-hash */
export const hashFunctions: SqlFunctions = {
  md2: ofTexts(1, (text) => md2(Buffer.from(text, 'utf8')).toString('hex')),
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha224: hash('sha224'),
  sha256: hash('sha256'),
  sha384: hash('sha384'),
  sha512: hash('sha512'),
};

function hash(algorithm: string): SqlFunction {
  return ofTexts(1, (text) => createHash(algorithm).update(text, 'utf8').digest('hex'));
}
