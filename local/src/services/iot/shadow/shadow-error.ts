import { AwsError } from '../../../kernel/errors.ts';

const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: 'InvalidRequestException',
  404: 'ResourceNotFoundException',
  409: 'ConflictException',
  413: 'RequestEntityTooLargeException',
  415: 'UnsupportedDocumentEncodingException',
};

/**
 * A refused shadow request: over MQTT the document on `.../rejected`, over HTTP the exception of the same status
 * (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-error-messages.html).
 */
export class ShadowError extends AwsError {
  readonly clientToken: string | undefined;

  constructor(status: number, message: string, clientToken?: string) {
    super(EXCEPTIONS[status] ?? 'InternalFailureException', message, status);
    this.clientToken = clientToken;
  }
}
