/** What the agent's clients are made with is made anew after an error of its token, and a PIN that was refused is not tried again. */
import type { mqtt5 } from 'aws-iot-device-sdk-v2';
import { ClientConfigs } from '../../device/src/client-configs.ts';
import { ConfigurationError } from '../../device/src/configuration-error.ts';

const REMOVED = { error_name: 'AWS_ERROR_PKCS11_CKR_DEVICE_REMOVED' };

let made: number;
let problem: string | undefined;
let configs: ClientConfigs;

beforeEach(() => {
  made = 0;
  problem = undefined;
  configs = new ClientConfigs(() => {
    made += 1;
    if (problem === undefined) return { hostName: `${made}` } as mqtt5.Mqtt5ClientConfig;
    throw new ConfigurationError('the PKCS#11 token cannot be used', ['why'], { cause: new Error(problem) });
  });
});

it('is one for all connections', () => {
  configs.failed({ error_name: 'AWS_IO_SOCKET_TIMEOUT' });

  expect(configs.get()).toBe(configs.get());
  expect(made).toBe(1);
});

it('is made anew after an error of the token, as often as it takes', () => {
  configs.failed(REMOVED);
  problem = 'aws-c-io: AWS_ERROR_PKCS11_TOKEN_NOT_FOUND';
  for (let attempt = 0; attempt < 5; attempt += 1) expect(() => configs.get()).toThrow('cannot be used');
  problem = undefined;

  expect(configs.get().hostName).toBe('7');
});

it('is not made again after a PIN that was refused: tokens count', () => {
  configs.failed(REMOVED);
  problem = 'aws-c-io: AWS_ERROR_PKCS11_CKR_PIN_INCORRECT';
  for (let attempt = 0; attempt < 5; attempt += 1) expect(() => configs.get()).toThrow('cannot be used');

  expect(made).toBe(2);
});
