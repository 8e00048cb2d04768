/** System calls at which agent-firmware-kills.ts ends a process. */
const halves = (file: string): readonly string[] => [`${file}.0`, `${file}.1`];
const [UPDATE, TRUST, BOOT] = [halves('state/update'), halves('state/trust'), halves('slots/boot')];
const GOOD = ['slots', 'slots/current', 'slots/current.draft'];
const IMAGE = ['state/image'];
const INCOMING = ['', '/bin', '/bin/thingstead-agent'].map((each) => `slots/incoming${each}`);
const OLD = ['slots/a', 'slots/b'];
/** System calls on files of the device, and how often one process makes each. */
export type Target = readonly [files: readonly string[], call: string, often: number];
export const BOOT_CALLS: readonly Target[] = [
  [BOOT, 'openat', 6],
  [BOOT, 'write,pwrite64', 2],
  [BOOT, 'fdatasync', 2],
];
export const CALLS: readonly Target[] = [
  ...BOOT_CALLS,
  ...[UPDATE, UPDATE, UPDATE].flatMap<Target>((each) => [
    [each, 'write,pwrite64', 14],
    [each, 'fdatasync', 14],
  ]),
  [TRUST, 'write,pwrite64', 2],
  [TRUST, 'fdatasync', 2],
  [GOOD, 'symlink', 1],
  [GOOD, 'rename', 1],
  [GOOD, 'fsync', 2],
  [IMAGE, 'ftruncate', 1],
  [IMAGE, 'write,pwrite64', 1],
  [['state'], 'fsync', 1],
  ...[IMAGE, IMAGE, IMAGE].map<Target>((each) => [each, 'openat', 4]),
  [INCOMING, 'mkdir', 2],
  [INCOMING, 'write,pwrite64', 1],
  [INCOMING, 'fdatasync', 1],
  [INCOMING, 'rename', 1],
  [OLD, 'unlink,unlinkat,rmdir', 2],
];
/** Of a version on trial, when that is how a life begins. */
export const TRIAL_CALLS: readonly Target[] = [
  [UPDATE, 'write,pwrite64', 3],
  [UPDATE, 'fdatasync', 3],
  [TRUST, 'write,pwrite64', 1],
  [TRUST, 'fdatasync', 1],
  [GOOD, 'fsync', 1],
];
