import * as v from 'valibot';
import { absoluteProgram } from './handlers/handler-config.ts';

const Text = v.pipe(v.string(), v.minLength(1));

/** Where a key is that a PKCS#11 token never lets out. */
export const Pkcs11Schema = v.strictObject({
  /** The token's PKCS#11 library: `/usr/lib/softhsm/libsofthsm2.so`. */
  library: Text,
  /** Which token, when there are several. */
  tokenLabel: v.optional(v.pipe(Text, v.maxLength(32))),
  slot: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** Which private key, when the token has several. */
  keyLabel: v.optional(Text),
  /** Its first line is the user PIN. */
  pinFile: v.string(),
  /** OpenSC's `pkcs11-tool`, for the signature of a device whose certificate has expired. */
  tool: v.optional(Text, 'pkcs11-tool'),
});
type Pkcs11Config = v.InferOutput<typeof Pkcs11Schema>;

/** The same with absolute paths. */
export function absolutePkcs11(config: Pkcs11Config, absolute: (path: string) => string): Pkcs11Config {
  const [tool = ''] = absoluteProgram([config.tool], absolute);
  return { ...config, library: absolute(config.library), pinFile: absolute(config.pinFile), tool };
}
