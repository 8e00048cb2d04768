/** What an execution environment and the service say to each other. */

export interface EnvironmentData {
  /** `nodejs24.x` */
  readonly runtime: string;
  /** `index.handler` */
  readonly handler: string;
  readonly taskRoot: string;
  readonly logFormat: 'Text' | 'JSON';
  readonly applicationLogLevel: LogLevel;
  /** Virtual time minus real time. */
  readonly clockOffsetMs: number;
}

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

export interface InvokeMessage {
  readonly requestId: string;
  /** JSON */
  readonly event: string;
  readonly functionArn: string;
  readonly clientContext: string | undefined;
  readonly traceId: string;
  readonly timeoutMs: number;
  readonly clockOffsetMs: number;
}

/** `payload` and `error` are JSON. After `fatal` the environment ends. */
export type EnvironmentMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'output'; readonly text: string }
  | { readonly type: 'result'; readonly payload: string; readonly heapBytes: number }
  | { readonly type: 'error'; readonly error: string; readonly heapBytes: number }
  | { readonly type: 'fatal'; readonly error: string };

/** What the caller of a function gets when it fails. */
export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}
