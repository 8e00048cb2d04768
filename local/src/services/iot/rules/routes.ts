import { type Route, route } from '../../../http/protocols/index.ts';

/** Method and path of the operations on rules, from the API model of 2015-05-28. */
export const topicRuleRoutes: readonly Route[] = [
  route('POST', '/rules/{ruleName}', 'CreateTopicRule', {
    document: 'topicRulePayload',
    headers: { tags: 'x-amz-tagging' },
  }),
  route('PATCH', '/rules/{ruleName}', 'ReplaceTopicRule', { document: 'topicRulePayload' }),
  route('GET', '/rules/{ruleName}', 'GetTopicRule'),
  route('DELETE', '/rules/{ruleName}', 'DeleteTopicRule'),
  route('POST', '/rules/{ruleName}/enable', 'EnableTopicRule'),
  route('POST', '/rules/{ruleName}/disable', 'DisableTopicRule'),
  route('POST', '/destinations', 'CreateTopicRuleDestination'),
  route('GET', '/destinations', 'ListTopicRuleDestinations', {
    query: { maxResults: 'maxResults', nextToken: 'nextToken' },
  }),
  route('PATCH', '/destinations', 'UpdateTopicRuleDestination'),
  route('GET', '/destinations/{arn+}', 'GetTopicRuleDestination'),
  route('DELETE', '/destinations/{arn+}', 'DeleteTopicRuleDestination'),
  route('GET', '/confirmdestination/{confirmationToken+}', 'ConfirmTopicRuleDestination'),
  route('GET', '/rules', 'ListTopicRules', {
    query: { topic: 'topic', maxResults: 'maxResults', nextToken: 'nextToken', ruleDisabled: 'ruleDisabled' },
  }),
];
