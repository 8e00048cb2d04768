/**
 * Limits of the message broker, us-east-1 defaults
 * (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits).
 */

/** "MQTT payload size": larger publish and connect requests are rejected. */
export const MAX_PAYLOAD_BYTES = 128 * 1024;

/** "Maximum MQTT5 packet size", told in the CONNACK. A longer packet is not even read to its end. */
export const MAX_PACKET_BYTES = 146 * 1024;

/** "Minimum MQTT5 maximum packet size": a client that asks for less may not connect. */
export const MIN_CLIENT_PACKET_BYTES = 512;

/** "Client ID size". */
export const MAX_CLIENT_ID_BYTES = 128;

/** "Topic size", without the prefix of Basic Ingest. */
export const MAX_TOPIC_BYTES = 256;

/** "Maximum number of slashes in topic and topic filter", without the prefixes of Basic Ingest and `$share`. */
export const MAX_TOPIC_SLASHES = 7;

/** The share name of `$share/<name>/<filter>`, in characters. */
export const MAX_SHARE_NAME_LENGTH = 128;

/** "Maximum subscriptions per subscribe request". */
export const MAX_SUBSCRIPTIONS_PER_REQUEST = 8;

/** "Subscriptions per connection". */
export const MAX_SUBSCRIPTIONS_PER_CONNECTION = 50;

/** "Maximum inbound / outbound unacknowledged QoS 1 publish requests". */
export const MAX_IN_FLIGHT = 100;

/** "Maximum MQTT5 Topic Alias value". */
export const MAX_TOPIC_ALIAS = 8;

/** "Maximum Message Expiry Interval"; the shortest is one second. */
export const MAX_MESSAGE_EXPIRY_SECONDS = 604_800;

/** "Maximum MQTT5 Content Type size". */
export const MAX_CONTENT_TYPE_BYTES = 256;

/** "Maximum MQTT5 Correlation Data size". */
export const MAX_CORRELATION_DATA_BYTES = 8 * 1024;

/** "Maximum User Properties total size". */
export const MAX_USER_PROPERTIES_BYTES = 8 * 1024;

/** "Connection inactivity (keep-alive interval)": for a request of zero or of more. */
export const MAX_KEEP_ALIVE_SECONDS = 1200;

/** A request of 1 to 29 seconds counts as this. */
export const MIN_KEEP_ALIVE_SECONDS = 30;

/** "WebSocket connection duration": then it is closed, whatever was sent on it. */
export const WEBSOCKET_SECONDS = 86_400;

/** "Persistent session expiry period": both MQTT 3 sessions and the longest that MQTT 5 may ask for. */
export const SESSION_EXPIRY_SECONDS = 3600;

/** A presence counter starts again after about an hour without connection (life-cycle-events). */
export const VERSION_RESET_SECONDS = 3600;

/** GetConnection knows a client this long after its disconnection (mqtt, "Viewing connection details"). */
export const CONNECTION_INFO_SECONDS = 1800;

/** Not AWS's number: a bound for what one offline or slow client may hold in memory. */
export const MAX_QUEUED_PER_SESSION = 10_000;

/** Not AWS's number: QoS 0 messages to a client whose socket holds more than this are dropped. */
export const MAX_UNSENT_BYTES = 1024 * 1024;

/** Not AWS's number: a connection that sends no CONNECT is closed. */
export const CONNECT_TIMEOUT_SECONDS = 30;
