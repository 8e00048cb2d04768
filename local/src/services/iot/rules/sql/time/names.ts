export const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
/** From Monday, as ISO 8601 counts. */
export const WEEKDAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
/** The length of short names. */
export const SHORT = 3;
