/** It may work later: no room on the disk, S3 in trouble, a connection that broke. */
export class TryLater extends Error {
  override readonly name = 'TryLater';
}

/** S3 has another object than the one that was sent. */
export class OtherObject extends Error {
  override readonly name = 'OtherObject';
}

/** It will never work. `tell`: the cloud does not know that yet. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
  readonly tell: boolean;

  constructor(message: string, tell: boolean, options?: ErrorOptions) {
    super(message, options);
    this.tell = tell;
  }
}

/** The same file, but under another id: what S3 may have of it is not of what is on the disk. */
export class Again extends Error {
  override readonly name = 'Again';
}
