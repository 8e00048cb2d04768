import type { Kernel } from '../../../kernel/kernel.ts';
import { recordMetrics } from '../../cloudwatch/record-metrics.ts';

type Dimensions = Readonly<Record<string, string>>;

interface Count {
  readonly metricName: string;
  readonly dimensions: Dimensions;
  value: number;
}

/**
 * The metrics of the rules engine (https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html#rulemetrics).
 * What happens in one turn of the event loop is recorded together, so that counting costs a message next to nothing.
 */
export class RuleMetrics {
  readonly #kernel: Kernel;
  readonly #counts = new Map<string, Count>();
  #scheduled = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  count(metricName: string, ruleName?: string, actionType?: string): void {
    const key = `${metricName} ${ruleName} ${actionType}`;
    const known = this.#counts.get(key);
    if (known) {
      known.value += 1;
      return;
    }
    const dimensions = {
      ...(ruleName !== undefined && { RuleName: ruleName }),
      ...(actionType !== undefined && { ActionType: actionType }),
    };
    this.#counts.set(key, { metricName, dimensions, value: 1 });
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#kernel.activity.track(async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#record();
    });
  }

  async #record(): Promise<void> {
    const metrics = [...this.#counts.values()].map((each) => ({ ...each, namespace: 'AWS/IoT', unit: 'Count' }));
    this.#counts.clear();
    this.#scheduled = false;
    const caller = this.#kernel.serviceCaller('iot.amazonaws.com', this.#kernel.arn('iot', 'rule/*'));
    await recordMetrics(this.#kernel, caller, metrics);
  }
}
