/** Images as an update brings them: tar archives, packed here so that tests can pack what no tar would. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface PackedFile {
  readonly name: string;
  readonly data?: Buffer | string;
  readonly executable?: boolean;
  /** Of the ustar header: `0` a file, `5` a folder, `2` a link, and so on. */
  readonly type?: string;
  readonly linkTo?: string;
  /** What the header says, when that is not how long the data are. */
  readonly size?: number;
}

const BLOCK = 512;

export function tar(files: readonly PackedFile[], end = 2): Buffer {
  const blocks = files.flatMap(({ name, data = '', executable = false, type = '0', linkTo = '', size }) => {
    const content = Buffer.from(data);
    const header = Buffer.alloc(BLOCK);
    const put = (text: string, at: number): void => {
      header.write(text, at);
    };
    const octal = (value: number, at: number, length: number): void =>
      put(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
    put(name, 0);
    octal(executable ? 0o755 : 0o644, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(size ?? content.length, 124, 12);
    octal(0, 136, 12);
    put('        ', 148);
    put(type, 156);
    put(linkTo, 157);
    put('ustar\0', 257);
    put('00', 263);
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      148,
      7,
    );
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header, content, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(end * BLOCK)]);
}

export function image(files: readonly PackedFile[]): Buffer {
  return gzipSync(tar(files), { level: 1 });
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
