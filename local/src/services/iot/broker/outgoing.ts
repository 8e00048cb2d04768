import type { IotMessage } from '../types.ts';
import type { SharedGroup } from './shared-group.ts';

/** A message on its way to one subscriber. */
export interface Outgoing {
  readonly message: IotMessage;
  /** The lower of what was published and what was subscribed. */
  readonly qos: 0 | 1;
  /** The RETAIN flag of the PUBLISH: set when the message was kept, not when it has just been published. */
  readonly retain: boolean;
  /** The shared subscription it came through: if the subscriber fails it, another one gets it. */
  readonly group: SharedGroup | undefined;
}
