/** The wire forms of operations: https://smithy.io/2.0/aws/protocols/ */

import { jsonProtocol, queryProtocol, restJsonProtocol, route } from '../../local/src/http/protocols/index.ts';
import type { WireProtocol, WireRequest } from '../../local/src/kernel/wire.ts';

function request(given: Partial<Omit<WireRequest, 'body' | 'query'>> & { body?: string; query?: string }): WireRequest {
  const { method = 'POST', path = '/', headers = {}, body = '', query = '' } = given;
  return { method, path, headers, body: Buffer.from(body), query: new URLSearchParams(query) };
}

describe('AWS JSON', () => {
  const protocol = jsonProtocol({
    version: '1.1',
    targetPrefix: 'Kinesis_20131202',
    inputTypes: { PutRecords: { 'Records.Data': 'blob' }, '*': { At: 'timestamp' } },
    queryErrorCodes: { QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue' },
  });
  const target = (operation: string) => ({ 'x-amz-target': `Kinesis_20131202.${operation}` });

  it('reads operation and input, with blobs as bytes and times as dates', () => {
    const body = '{"Records":[{"Data":"aGF5"}],"At":1.5}';

    expect(protocol.decode(request({ headers: target('PutRecords'), body }))).toEqual({
      operation: 'PutRecords',
      input: { Records: [{ Data: Buffer.from('hay') }], At: new Date(1500) },
    });
  });

  it('is not for the target of another service', () => {
    expect(protocol.decode(request({ headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' } }))).toBeUndefined();
  });

  it.each(['{', '[]', '"x"'])('refuses the body %s', (body) => {
    expect(() => protocol.decode(request({ headers: target('X'), body }))).toThrow('The request body is');
  });

  it('writes dates as seconds, bytes as base64 and NaN as text, and leaves out undefined', () => {
    const output = {
      at: new Date(1500),
      data: Buffer.from('hay'),
      bytes: new Uint8Array([1]),
      nan: Number.NaN,
      none: undefined,
    };

    expect(JSON.parse(String(protocol.encode('X', output, 'r').body))).toEqual({
      at: 1.5,
      data: 'aGF5',
      bytes: 'AQ==',
      nan: 'NaN',
    });
  });

  it('tells the older code of an error beside the newer', () => {
    const error = { code: 'QueueDoesNotExist', message: 'no', status: 400, details: { Extra: 1 } };
    const { headers, body } = protocol.encodeError(error, 'r');

    expect(headers['x-amzn-query-error']).toBe('AWS.SimpleQueueService.NonExistentQueue;Sender');
    expect(JSON.parse(String(body))).toEqual({ __type: 'QueueDoesNotExist', message: 'no', Extra: 1 });
  });
});

describe('AWS query', () => {
  const protocol = queryProtocol({
    apiVersion: '2012-11-05',
    namespace: 'urn:x',
    flattened: {
      Messages: 'Message',
      AttributeNames: 'AttributeName',
      Attributes: { name: 'Attribute', key: 'Name', value: 'Value' },
      'SendMessageBatch.Entries': 'SendMessageBatchRequestEntry',
    },
    maps: ['Tags'],
    inputTypes: { '*': { Delay: 'number', Deep: 'boolean' } },
  });
  const form = (body: string) =>
    protocol.decode(
      request({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `Version=2012-11-05&${body}` }),
    );

  it.each<[string, string, unknown]>([
    ['values', 'Action=A&Name=x+y&Delay=5&Deep=true', { Name: 'x y', Delay: 5, Deep: true }],
    ['booleans in capitals', 'Action=A&Deep=TRUE', { Deep: true }],
    ['lists', 'Action=A&Names.member.1=a&Names.member.2=b', { Names: ['a', 'b'] }],
    [
      'lists of ten and more in order',
      `Action=A&${[10, 2, 1].map((n) => `L.member.${n}=${n}`).join('&')}`,
      { L: ['1', '2', '10'] },
    ],
    ['structures', 'Action=A&P.member.1.Key=k&P.member.1.Value=v', { P: [{ Key: 'k', Value: 'v' }] }],
    ['maps', 'Action=A&M.entry.1.key=a&M.entry.1.value=b', { M: { a: 'b' } }],
    ['flattened lists', 'Action=A&AttributeName.1=All', { AttributeNames: ['All'] }],
    ['flattened maps', 'Action=A&Attribute.1.Name=a&Attribute.1.Value=b', { Attributes: { a: 'b' } }],
    [
      'flattened by operation',
      'Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=x',
      { Entries: [{ Id: 'x' }] },
    ],
    ['the name of a prototype', 'Action=A&__proto__.x=1&y=2', { y: '2', ['__proto__']: { x: '1' } }],
  ])('reads %s', (_name, body, expected) => {
    expect(form(body)?.input).toEqual(expected);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('is not for another version, nor for other content', () => {
    expect(form('Action=A&Version=1')).toBeDefined();
    expect(
      protocol.decode(
        request({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=A&Version=1' }),
      ),
    ).toBeUndefined();
    expect(protocol.decode(request({ headers: { 'content-type': 'application/json' }, body: '{}' }))).toBeUndefined();
  });

  it('refuses a value that is a structure as well, and a number that is none', () => {
    expect(() => form('Action=A&X=1&X.Y=2')).toThrow('both as a value and as a structure');
    expect(() => form('Action=A&Delay=soon')).toThrow('Delay is "soon"; expected a number');
  });

  it('writes answers', () => {
    const output = {
      Name: '<&>',
      At: new Date(0),
      List: ['a', { B: 1 }],
      Tags: { k: 'v' },
      Messages: [{ Id: 1 }],
      Attributes: { n: 'w' },
      none: undefined,
    };

    expect(protocol.encode('Op', output, 'r').body).toBe(
      '<OpResponse xmlns="urn:x"><OpResult><Name>&lt;&amp;&gt;</Name><At>1970-01-01T00:00:00.000Z</At>' +
        '<List><member>a</member><member><B>1</B></member></List><Tags><entry><key>k</key><value>v</value></entry></Tags>' +
        '<Message><Id>1</Id></Message><Attribute><Name>n</Name><Value>w</Value></Attribute></OpResult>' +
        '<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></OpResponse>',
    );
  });
});

describe('REST-JSON', () => {
  const protocol: WireProtocol = restJsonProtocol(
    [
      route('GET', '/things', 'ListThings', { query: { maxResults: 'maxResults', types: 'type' } }),
      route('GET', '/things/{thingName}', 'DescribeThing'),
      route('GET', '/things/special', 'Special'),
      route('POST', '/topics/{topic+}', 'Publish', {
        payload: 'payload',
        query: { qos: 'qos' },
        headers: { type: 'X-Type' },
      }),
      route('POST', '/rules/{ruleName}', 'CreateTopicRule', { document: 'topicRulePayload' }),
      route('POST', '/functions/{Name}', 'Invoke', {
        payload: 'Payload',
        response: {
          statusMember: 'StatusCode',
          payload: 'Payload',
          headers: { FunctionError: 'X-Amz-Function-Error' },
        },
      }),
      route('DELETE', '/things/{thingName}', 'DeleteThing', { response: { status: 204 } }),
    ],
    { inputTypes: { '*': { maxResults: 'number', qos: 'number' }, ListThings: { types: 'list' } } },
  );
  const decode = (method: string, path: string, query = '', body = '', headers = {}) =>
    protocol.decode(request({ method, path, query, body, headers }));

  it.each<[string, Parameters<typeof decode>, string, unknown]>([
    ['the query', ['GET', '/things', 'maxResults=5&type=a'], 'ListThings', { maxResults: 5, types: ['a'] }],
    ['a label', ['GET', '/things/a%2Fb'], 'DescribeThing', { thingName: 'a/b' }],
    ['a literal before a label', ['GET', '/things/special'], 'Special', {}],
    [
      'the rest of the path, bytes and a header',
      ['POST', '/topics/a/b%20c', 'qos=1', 'hay', { 'x-type': 't' }],
      'Publish',
      { topic: 'a/b c', qos: 1, type: 't', payload: Buffer.from('hay') },
    ],
    [
      'a document',
      ['POST', '/rules/r', '', '{"sql":"x"}'],
      'CreateTopicRule',
      { ruleName: 'r', topicRulePayload: { sql: 'x' } },
    ],
  ])('reads %s', (_name, given, operation, input) => {
    expect(decode(...given)).toEqual({ operation, input });
  });

  it('knows nothing of other paths and methods', () => {
    expect(decode('GET', '/things/a/b')).toBeUndefined();
    expect(decode('PUT', '/things/a')).toBeUndefined();
    expect(decode('GET', '/things/')).toMatchObject({ operation: 'ListThings' });
  });

  it('refuses a broken encoding', () => {
    expect(() => decode('GET', '/things/%E0%A4%A')).toThrow('broken percent-encoding');
  });

  it('writes status, headers and payload where they belong', () => {
    const output = { StatusCode: 202, FunctionError: 'Unhandled', Payload: Buffer.from('{}') };

    expect(protocol.encode('Invoke', output, 'r')).toEqual({
      status: 202,
      headers: { 'x-amzn-requestid': 'r', 'x-amz-function-error': 'Unhandled' },
      body: Buffer.from('{}'),
    });
    expect(protocol.encode('DeleteThing', {}, 'r')).toMatchObject({ status: 204, body: '' });
  });
});
