/** The tables behind the routes about things, in memory, and requests to the handler as the gateway makes them. */
import { type GrantRow, type GrantTarget, grantKey, type Role, targetKey } from '@thingstead/contracts/grants';
import type { HourItem, LatestItem } from '@thingstead/contracts/telemetry-store';
import { listShardOf, siteOf, THINGS_INDEXES, type ThingRow, WHOLE_FLEET } from '@thingstead/contracts/things';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import { createHandler } from '../../lambda/things/handler.ts';
import type { KeyRange, List, Ports, ShadowState, ShadowUpdate, StoredMessage } from '../../lambda/things/ports.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
export const PERSON = 'mary';

interface Caller {
  readonly person?: string;
  readonly groups?: string;
}
interface Parts extends Caller {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export class ThingsWorld {
  readonly rows = new Map<string, ThingRow>();
  readonly grants = new Map<string, GrantRow>();
  readonly owned = new Map<string, number>();
  /** By `{thing}#{sensor}`. */
  readonly history = new Map<string, StoredMessage[]>();
  readonly hours = new Map<string, HourItem[]>();
  latest: LatestItem[] = [];
  shadow: ShadowState | undefined;
  update: ShadowUpdate = 'done';
  readonly desired: unknown[] = [];
  /** Since the last request. */
  used = { rows: 0, names: 0, queries: 0 };
  /** Items that one query gives at most, as 1 MB may. */
  itemsPerQuery = Number.POSITIVE_INFINITY;
  failures: unknown[] = [];
  readonly #handle = createHandler({ ...this.#ports(), failed: ({ error }) => void this.failures.push(error) });

  thing(name: string, members: Partial<ThingRow> = {}): void {
    this.rows.set(name, { pk: name, ...members });
  }

  grant(target: GrantTarget, role: Role = 'owner', more: Partial<GrantRow> = {}): void {
    const { person = PERSON } = more;
    const key = grantKey(person, target);
    const row = { ...key, person, target: targetKey(target), role, visibleFrom: 0, grantedBy: person, grantedAt: 0 };
    this.grants.set(`${key.pk} ${key.sk}`, { ...row, ...more });
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
  async call(routeKey: string, path: Readonly<Record<string, string>>, parts: Parts = {}): Promise<any> {
    this.used = { rows: 0, names: 0, queries: 0 };
    const { person = PERSON, groups = '[]', query = {}, headers = {}, body } = parts;
    const event = {
      routeKey,
      pathParameters: path,
      queryStringParameters: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)),
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      isBase64Encoded: false,
      requestContext: {
        requestId: 'request-1',
        authorizer: { jwt: { claims: { sub: person, token_use: 'access', 'cognito:groups': groups } } },
      },
    } as unknown as APIGatewayProxyEventV2WithJWTAuthorizer;
    const { statusCode, headers: answered, body: text } = await this.#handle(event);
    return { status: statusCode, headers: answered, body: text === undefined ? undefined : JSON.parse(text) };
  }

  #ports(): Ports {
    return {
      now: () => NOW,
      lists: {
        names: async (list, { from, to }, limit) => {
          this.used.queries += 1;
          const names = [...this.rows.values()].filter((row) => partitionOf(row, list.index) === list.partition);
          const found = names
            .map(({ pk }) => pk)
            .filter((pk) => from <= pk && pk <= to)
            .sort()
            .slice(0, limit);
          this.used.names += found.length;
          return found;
        },
        rows: async (things) => {
          this.used.rows += things.length;
          return new Map(things.flatMap((name) => [this.rows.get(name) ?? []].flat().map((row) => [name, row])));
        },
      },
      things: {
        row: async (thing) => this.rows.get(thing),
        label: async (thing, label, labelledFor) => {
          const row = this.rows.get(thing);
          if (!row || (row.labelledFor ?? 0) > labelledFor) return undefined;
          const { label: _, ...rest } = row;
          const named = { ...rest, labelledFor, ...(label !== undefined && { label }) };
          this.rows.set(thing, named);
          return named;
        },
      },
      grants: {
        find: async (person, targets) =>
          targets.flatMap((target) => {
            const { pk, sk } = grantKey(person, target);
            return this.grants.get(`${pk} ${sk}`) ?? [];
          }),
        all: async (person) => [...this.grants.values()].filter((row) => row.person === person),
      },
      owners: { since: async (thing) => this.owned.get(thing) },
      readings: {
        messages: async (thing, sensor, range, { limit = Number.POSITIVE_INFINITY, batchesOnly = false }) => {
          const page = this.#page(this.history.get(`${thing}#${sensor}`) ?? [], range, limit);
          return { ...page, items: page.items.filter((item) => !batchesOnly || 'readings' in item) };
        },
        hours: async (thing, sensor, range, limit) =>
          this.#page(this.hours.get(`${thing}#${sensor}`) ?? [], range, limit),
        latest: async () => this.latest,
      },
      shadows: {
        read: async () => this.shadow,
        desire: async (_, desired, version) => {
          this.desired.push({ desired, version });
          return this.update;
        },
      },
    };
  }

  #page<Item extends { readonly sk: string }>(items: readonly Item[], { from, to }: KeyRange, limit: number) {
    this.used.queries += 1;
    if (from > to) throw new RangeError(`DynamoDB refuses BETWEEN ${from} AND ${to}`);
    const inRange = items.filter(({ sk }) => from <= sk && sk < to).sort((a, b) => (a.sk < b.sk ? -1 : 1));
    const found = inRange.slice(0, Math.min(limit, this.itemsPerQuery));
    this.used.rows += found.length;
    const last = found.at(-1);
    const rest = last && found.length < inRange.length ? { from: `${last.sk}\u0000`, to } : undefined;
    return { items: found, rest };
  }
}

function partitionOf({ pk, thingType, firmwareVersion, presence }: ThingRow, index: List['index']): string | undefined {
  switch (index) {
    case THINGS_INDEXES.name:
      return listShardOf(WHOLE_FLEET, pk);
    case THINGS_INDEXES.site:
      return siteOf(pk);
    case THINGS_INDEXES.type:
      return thingType && listShardOf(thingType, pk);
    case THINGS_INDEXES.firmware:
      return firmwareVersion && listShardOf(firmwareVersion, pk);
    case THINGS_INDEXES.connected:
      return presence && listShardOf(String(presence.connected), pk);
  }
}
