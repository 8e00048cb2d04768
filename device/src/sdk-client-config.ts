import { io, iot, mqtt5 } from 'aws-iot-device-sdk-v2';
import type { AgentConfig } from './config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';
import type { Identity, TokenKey } from './identity.ts';

/** How long AWS IoT may take to acknowledge before a message is sent again. */
const ACK_TIMEOUT_SECONDS = 20;
const CONNACK_TIMEOUT_MS = 20_000;
/** The SDK's own reconnection never comes to act: a client is stopped at its first failure. */
const NEVER_MS = 3_600_000;

/**
 * What every client of the SDK is made with. It holds the TLS context, and with it the login into a PKCS#11 token, so one is
 * made for all connections: a token counts logins with a wrong PIN, and locks itself.
 *
 * @throws ConfigurationError when the token, its key or its PIN are not what the configuration says.
 */
export function sdkClientConfig(config: AgentConfig, identity: Identity): mqtt5.Mqtt5ClientConfig {
  const { certificate, key, rootCa } = identity;
  const { host, port } = config.endpoint;
  if (key.kind === 'file') {
    return build(iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(host, certificate, key.pem));
  }
  try {
    return build(
      iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPkcs11(host, pkcs11(key, certificate)),
    );
  } catch (cause) {
    throw new ConfigurationError('the PKCS#11 token cannot be used', [explain(messageOf(cause), key)], { cause });
  }

  function build(builder: iot.AwsIotMqtt5ClientConfigBuilder): mqtt5.Mqtt5ClientConfig {
    if (rootCa !== undefined) builder.withCertificateAuthority(rootCa);
    return builder
      .withPort(port)
      .withConnectProperties({ clientId: config.thing, keepAliveIntervalSeconds: config.keepAliveSeconds })
      .withSessionBehavior(mqtt5.ClientSessionBehavior.Clean)
      .withOfflineQueueBehavior(mqtt5.ClientOperationQueueBehavior.FailAllOnDisconnect)
      .withConnackTimeoutMs(CONNACK_TIMEOUT_MS)
      .withAckTimeoutSeconds(ACK_TIMEOUT_SECONDS)
      .withMinReconnectDelayMs(NEVER_MS)
      .withMaxReconnectDelayMs(NEVER_MS)
      .build();
  }
}

function pkcs11(
  { library, pin, slot, tokenLabel, keyLabel }: TokenKey,
  certificate: string,
): io.TlsContextOptions.Pkcs11Options {
  return {
    pkcs11_lib: new io.Pkcs11Lib(library),
    user_pin: pin,
    cert_file_contents: certificate,
    ...(slot === undefined ? {} : { slot_id: slot }),
    ...(tokenLabel === undefined ? {} : { token_label: tokenLabel }),
    ...(keyLabel === undefined ? {} : { private_key_object_label: keyLabel }),
  };
}

/** What to look at, for the errors that a person can do something about. */
function explain(message: string, { library, slot, tokenLabel, keyLabel }: TokenKey): string {
  const token = [
    ...(tokenLabel === undefined ? [] : [`tokenLabel "${tokenLabel}"`]),
    ...(slot === undefined ? [] : [`slot ${slot}`]),
  ].join(' and ');
  const list = (what: string): string => `list ${what}: pkcs11-tool --module ${library} -L`;
  if (/SHARED_LIBRARY/.test(message)) return `pkcs11.library: ${library} is missing or no PKCS#11 library (${message})`;
  if (/TOKEN_NOT_FOUND/.test(message)) {
    return `there is ${token ? `no token with ${token}` : 'no token, or more than one'}; ${list('the tokens')}`;
  }
  if (/KEY_NOT_FOUND/.test(message)) {
    const key =
      keyLabel === undefined
        ? 'no private key, or more than one: give pkcs11.keyLabel'
        : `no private key with keyLabel "${keyLabel}"`;
    return `the token holds ${key}; ${list('the keys').replace(/-L$/, '--login -O')}`;
  }
  if (/PIN_(INCORRECT|INVALID|LEN_RANGE)/.test(message)) {
    return 'pkcs11.pinFile: the token refuses this PIN; each attempt counts, and after a few the token locks itself';
  }
  if (/PIN_LOCKED/.test(message))
    return "the token has locked its user PIN: set it anew with the security officer's PIN";
  if (/PIN_(EXPIRED|NOT_INITIALIZED)|USER_PIN_NOT_INITIALIZED/.test(message))
    return `the token has no usable user PIN (${message})`;
  return message;
}
