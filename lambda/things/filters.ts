import type { Thing, thingsRoutes } from '@thingstead/contracts/routes/things';
import type * as v from 'valibot';

type MineQuery = v.InferOutput<typeof thingsRoutes.listThings.query>;
/** Those that are asked of each thing; what narrows the names is not among them. */
export type Filters = { readonly [Name in 'type' | 'connected' | 'firmware' | 'text' | 'role']?: MineQuery[Name] };

/** True when some of what is listed may not be on the page. */
export function hasFilters(filters: Filters): boolean {
  const { type, connected, firmware, text, role } = filters;
  return [type, connected, firmware, text, role].some((each) => each !== undefined);
}

export function matches(thing: Thing, { type, connected, firmware, text, role }: Filters): boolean {
  return (
    (type === undefined || thing.thingType === type) &&
    (connected === undefined || thing.connected === connected) &&
    (firmware === undefined || thing.firmwareVersion === firmware) &&
    (role === undefined || thing.role === role) &&
    (text === undefined || [thing.thing, thing.label ?? ''].some((each) => folded(each).includes(folded(text))))
  );
}

/** Whatever the case, and however accents are encoded. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
