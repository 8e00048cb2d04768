/** Why an encrypted file is refused. None of its plain text after that point was given out. */
export class EncryptedFileError extends Error {
  override readonly name = 'EncryptedFileError';
  /**
   * `wrong-key`: another data key than the one it was encrypted with. `wrong-context`: encrypted for something else. `changed`: its bytes
   * are not those that were written. `truncated`: its end is missing. `trailing`: there is more after its end.
   */
  readonly kind: 'wrong-key' | 'wrong-context' | 'changed' | 'truncated' | 'trailing';

  constructor(kind: EncryptedFileError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
