import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';

/** What a board says of itself; undefined where it says nothing. */
export interface BoardInfo {
  readonly model: string | undefined;
  readonly hardwareRevision: string | undefined;
  readonly serial: string | undefined;
}

/** Device tree (Arm boards); what /proc/device-tree points at, which a service with `ProcSubset=pid` does not see. */
const DEVICE_TREE = 'firmware/devicetree/base';
/** SMBIOS (PCs); its serial number is for root only. */
const SMBIOS = 'class/dmi/id';

/**
 * Reads model, revision and serial number of this board; the host's name where there is no serial number.
 *
 * @param sys where the kernel shows devices.
 */
export function boardInfo(sys = '/sys', host: string = hostname()): BoardInfo {
  const text = (...names: readonly string[]): string | undefined =>
    names.map((name) => read(path.join(sys, name))?.toString('utf8').replaceAll('\0', '').trim()).find(Boolean);
  return {
    model: text(`${DEVICE_TREE}/model`, `${SMBIOS}/product_name`),
    hardwareRevision: raspberryRevision(sys) ?? text(`${SMBIOS}/product_version`),
    serial: text(`${DEVICE_TREE}/serial-number`) ?? host,
  };
}

/** A number of 32 bits, written as hex everywhere else: `c03111`. */
function raspberryRevision(sys: string): string | undefined {
  const bytes = read(path.join(sys, DEVICE_TREE, 'system/linux,revision'));
  return bytes?.length === 4 ? bytes.readUInt32BE().toString(16) : undefined;
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
