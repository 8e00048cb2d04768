/** The subscription tree against the rules read one filter at a time. */
import fc from 'fast-check';
import type { Access } from '../../local/src/services/iot/broker/access.ts';
import { Session } from '../../local/src/services/iot/broker/session.ts';
import { SubscriptionTree } from '../../local/src/services/iot/broker/subscription-tree.ts';

const level = fc.constantFrom('a', 'b', '', '$aws');
const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'));

/** https://docs.aws.amazon.com/iot/latest/developerguide/topics.html, as a regular expression. */
function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const pattern = filter
    .split('/')
    .map((each) => (each === '+' ? '[^/]*' : each === '#' ? '.*' : each.replace('$', '\\$')))
    .join('/');
  return new RegExp(`^${pattern}$`).test(topic);
}

const newSession = (id: string) => new Session(id, 4, 0, {} as Access);
const subscription = (text: string, qos: 0 | 1 = 1) => ({ text, qos, noLocal: false, retainAsPublished: false });

it('finds exactly the filters that match, before and after some are removed', () => {
  fc.assert(
    fc.property(fc.uniqueArray(filters, { maxLength: 8 }), topics, fc.nat(8), (all, topic, removed) => {
      const tree = new SubscriptionTree();
      const sessions = new Map(all.map((filter) => [filter, newSession(filter)]));
      for (const [filter, session] of sessions) tree.add(session, { filter, group: undefined }, subscription(filter));
      const found = () => [...tree.match(topic).sessions.keys()].map((each) => each.clientId).toSorted();

      expect(found()).toEqual(all.filter((filter) => matches(filter, topic)).toSorted());
      for (const filter of all.slice(0, removed)) {
        tree.remove(sessions.get(filter) as Session, { filter, group: undefined });
      }
      expect(found()).toEqual(
        all
          .slice(removed)
          .filter((filter) => matches(filter, topic))
          .toSorted(),
      );
    }),
  );
});

it('gives a session once, with its highest QoS', () => {
  // GIVEN
  const tree = new SubscriptionTree();
  const session = newSession('one');
  tree.add(session, { filter: 'a/+', group: undefined }, subscription('a/+', 1));
  tree.add(session, { filter: 'a/#', group: undefined }, subscription('a/#', 0));

  // WHEN
  const { sessions } = tree.match('a/b');

  // THEN
  expect([...sessions.values()].map((each) => each.qos)).toEqual([1]);
});

it('forgets a group with its last member', () => {
  // GIVEN
  const tree = new SubscriptionTree();
  const [one, two] = [newSession('one'), newSession('two')];
  const filter = { filter: 'a/+', group: 'g' };
  for (const session of [one, two]) tree.add(session, filter, subscription('$share/g/a/+'));

  // WHEN
  tree.remove(one, filter);
  const between = tree.match('a/b').groups.length;
  tree.remove(two, filter);

  // THEN
  expect([between, tree.match('a/b').groups.length]).toEqual([1, 0]);
});
