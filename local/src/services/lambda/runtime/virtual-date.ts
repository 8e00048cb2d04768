const RealDate = Date;
let offsetMs = 0;

/** Sets how far virtual time is ahead of real time. */
export function setClockOffset(ms: number): void {
  offsetMs = ms;
}

/** Makes `Date` of this thread tell virtual time. Dates made from arguments are what they were. */
export function installVirtualDate(): void {
  const virtualNow = (): number => RealDate.now() + offsetMs;
  const VirtualDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [virtualNow()], newTarget),
    apply: () => new RealDate(virtualNow()).toString(),
    get: (target, property, receiver) => (property === 'now' ? virtualNow : Reflect.get(target, property, receiver)),
  });
  RealDate.prototype.constructor = VirtualDate;
  globalThis.Date = VirtualDate;
}
