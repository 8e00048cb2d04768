import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Conversion, MAX_VALUE_BYTES, parseValue } from './parse-value.ts';
import type { Sensor } from './sensor.ts';

/**
 * A value in a file, such as the kernel shows under /sys: `/sys/bus/w1/devices/28-0316a2791c4e/temperature`. It is opened
 * anew for every reading, so that a sensor may come and go. The read rejects when there is no such file or it holds no such value.
 */
export function file(path: string, conversion: Conversion): Sensor {
  return {
    read: async () => {
      // Without O_NONBLOCK a named pipe would hold the reader until somebody writes. Drivers of 1-Wire take most of a second
      // for an answer, so it is not read synchronously.
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!(await handle.stat()).isFile()) throw new Error(`${path} is no regular file`);
        return parseValue(await readAll(handle, path), conversion);
      } finally {
        await handle.close();
      }
    },
  };
}

/** Files of the kernel have no size that could be looked at before. */
async function readAll(handle: FileHandle, path: string): Promise<string> {
  const buffer = Buffer.alloc(MAX_VALUE_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (length > MAX_VALUE_BYTES) throw new Error(`${path} holds more than ${MAX_VALUE_BYTES} bytes`);
    if (bytesRead === 0) return buffer.toString('utf8', 0, length);
  }
}
