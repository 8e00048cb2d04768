/** The example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, with the signatures printed there. */
import { decodeAwsChunked } from '../../local/src/http/signature/aws-chunked.ts';
import { type HttpRequest, readSignature } from '../../local/src/http/signature/scope.ts';
import { requestSignature, scopeOf, signingKey } from '../../local/src/http/signature/sign.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SEED = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
const CHUNKS = [
  ['a'.repeat(65_536), 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
  ['a'.repeat(1024), '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
  ['', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
] as const;

const request: HttpRequest = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  rawQuery: '',
  query: new URLSearchParams(),
  headers: {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
      'SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;' +
      `x-amz-storage-class,Signature=${SEED}`,
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
    'content-length': '66824',
  },
  body: framed(CHUNKS),
};

function framed(chunks: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(
    chunks
      .map(([data, signature]) => `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`)
      .join(''),
  );
}

function claimOf(given: HttpRequest) {
  const claim = readSignature(given);
  if (!claim) throw new Error('the request is signed');
  return claim;
}

describe('signature version 4', () => {
  const claim = claimOf(request);
  const key = signingKey(SECRET, claim);
  const signer = { key, date: claim.date, scope: scopeOf(claim), seed: SEED };

  it('gives the signature of the example', () => {
    expect(requestSignature(key, request, claim, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD')).toBe(SEED);
  });

  it('checks every chunk of a streamed body and takes the framing away', () => {
    expect(decodeAwsChunked(request.body, signer)).toEqual({ body: Buffer.alloc(66_560, 'a'), trailers: {} });
  });

  it('refuses a chunk that was changed, left out or put elsewhere', () => {
    const [first, second, last] = CHUNKS;
    const changed = framed([[first[0].replace('a', 'b'), first[1]], second, last]);

    expect(() => decodeAwsChunked(changed, signer)).toThrow('signature of a chunk');
    expect(() => decodeAwsChunked(framed([second, last]), signer)).toThrow('signature of a chunk');
    expect(() => decodeAwsChunked(framed([second, first, last]), signer)).toThrow('signature of a chunk');
    expect(() => decodeAwsChunked(framed([first, second]), signer)).toThrow('a chunk header has no end');
  });

  it('gives the trailers of an unsigned stream', () => {
    const body = Buffer.from('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n');

    expect(decodeAwsChunked(body, undefined)).toEqual({
      body: Buffer.from('hello'),
      trailers: { 'x-amz-checksum-crc32': 'NhCmhg==' },
    });
  });

  it.each([
    ['a chunk that is longer than the body', 'ff\r\nhello\r\n0\r\n\r\n'],
    ['a size that is none', 'x\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
  ])('refuses %s', (_name, body) => {
    expect(() => decodeAwsChunked(Buffer.from(body), undefined)).toThrow('chunk size');
  });
});
