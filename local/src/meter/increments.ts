/** The steps in which AWS counts sizes, in bytes. */
const KB = 1024;

export const IOT_MESSAGE_BYTES = 5 * KB;
export const IOT_OPERATION_BYTES = KB;
export const KINESIS_PUT_BYTES = 25 * KB;
export const KINESIS_RECORD_BYTES = KB;
export const FIREHOSE_RECORD_BYTES = 5 * KB;
/** Of requests to SQS and SNS, and of events. */
export const REQUEST_BYTES = 64 * KB;

/** Of requests to HTTP APIs. */
export const HTTP_API_REQUEST_BYTES = 512 * KB;

/** How many steps a size takes; nothing takes one as well. */
export function increments(bytes: number, step: number): number {
  return bytes <= step ? 1 : Math.ceil(bytes / step);
}

/** A size rounded up to whole steps, in bytes. */
export function roundedUp(bytes: number, step: number): number {
  return increments(bytes, step) * step;
}
