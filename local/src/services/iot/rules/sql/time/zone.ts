/** Time zones by their names in the tz database, as offsets (`+01:00`, `UTC+1`) or by a few abbreviations. */

const FIXED = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?$/;
const GREENWICH = new Set(['UTC', 'GMT', 'UT', 'Z', 'Etc/UTC', 'Etc/GMT']);
/** Abbreviations that Java reads and the tz database does not have under that name. */
const ABBREVIATIONS: ReadonlyMap<string, string> = new Map([
  ['PST', 'America/Los_Angeles'],
  ['PDT', 'America/Los_Angeles'],
  ['MST', 'America/Denver'],
  ['MDT', 'America/Denver'],
  ['CST', 'America/Chicago'],
  ['CDT', 'America/Chicago'],
  ['EST', 'America/New_York'],
  ['EDT', 'America/New_York'],
  ['CEST', 'Europe/Paris'],
]);
const MINUTE = 60_000;
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?/;

type Style = 'longOffset' | 'short' | 'long';
const formatters = new Map<string, Intl.DateTimeFormat>();

export function isZone(zone: string): boolean {
  if (GREENWICH.has(zone) || FIXED.test(zone)) return true;
  try {
    formatter(zone, 'longOffset');
    return true;
  } catch {
    return false;
  }
}

/** How far local time is ahead of UTC at this instant, in milliseconds. The zone has been checked. */
export function offsetAt(zone: string, millis: number): number {
  if (GREENWICH.has(zone)) return 0;
  const fixed = FIXED.exec(zone);
  if (fixed) return sign(fixed[1]) * (Number(fixed[2]) * 60 + Number(fixed[3] ?? 0)) * MINUTE;
  const [, direction, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(name(zone, millis, 'longOffset')) ?? [];
  return sign(direction) * ((Number(hours) * 60 + Number(minutes)) * MINUTE + Number(seconds) * 1000);
}

/** `CST` or `Central Standard Time`; where English has no short name, the offset. */
export function zoneName(zone: string, millis: number, style: 'short' | 'long'): string {
  if (GREENWICH.has(zone)) return style === 'short' ? 'UTC' : 'Coordinated Universal Time';
  return FIXED.test(zone) ? offsetText(offsetAt(zone, millis), ':') : name(zone, millis, style);
}

/** `+0100` or, with a colon, `+01:00`. */
export function offsetText(offset: number, separator: string): string {
  const minutes = Math.abs(Math.round(offset / MINUTE));
  const digits = (value: number) => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60))}${separator}${digits(minutes % 60)}`;
}

/** The instant at which the clocks of a zone show this local time. */
export function fromLocal(localMillis: number, zone: string): number {
  const guess = localMillis - offsetAt(zone, localMillis);
  return localMillis - offsetAt(zone, guess);
}

function name(zone: string, millis: number, style: Style): string {
  const parts = formatter(zone, style).formatToParts(millis);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone;
}

/** Throws RangeError for an unknown zone. */
function formatter(zone: string, style: Style): Intl.DateTimeFormat {
  const key = `${style} ${zone}`;
  const known = formatters.get(key);
  if (known) return known;
  const timeZone = ABBREVIATIONS.get(zone) ?? zone;
  const made = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: style });
  formatters.set(key, made);
  return made;
}

function sign(direction: string | undefined): number {
  return direction === '-' ? -1 : 1;
}
