// Where a URL of somebody else's choice may lead: a canary on this machine hears nothing (security.md R65, R66).
import assert from 'node:assert/strict';
import type { lookup } from 'node:dns';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { createDocumentFetcher, createDocumentFetcherBy, FetchFailed } from '../../src/outbound/documents.ts';
import { createPublicLookup, isPublicAddress } from '../../src/outbound/public-addresses.ts';

describe('documents of others', () => {
  let canary: Server;
  let port: number;
  let hits = 0;
  before(async () => {
    canary = createServer((socket) => {
      hits += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    ({ port } = canary.address() as AddressInfo);
  });
  after(() => new Promise((resolve) => canary.close(resolve)));

  /** A resolver that gives these answers, one list after the other. */
  function answering(...answers: string[][]): typeof lookup {
    let asked = 0;
    return ((_name: string, _options: unknown, callback: (error: null, addresses: unknown) => void) => {
      const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
      asked += 1;
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) as never;
  }

  const hosts = [
    '127.0.0.1',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '[fe80::1]',
    '[fd00::1]',
    '①②⑦.0.0.1',
  ];
  for (const host of hosts) {
    it(`are not fetched from ${host}`, async () => {
      await assert.rejects(createDocumentFetcher()(`https://${host}:${port}/`), FetchFailed);
      assert.equal(hits, 0);
    });
  }

  const urls = [
    ['plain http', () => `http://127.0.0.1:${port}/`],
    ['plain http to a public name', () => 'http://issuer.example/'],
    ['another scheme', () => 'file:///etc/passwd'],
    ['a user name', () => 'https://user@issuer.example/'],
    ['nothing', () => ''],
  ] as const;
  for (const [what, url] of urls) {
    it(`are not fetched by ${what}`, async () => {
      await assert.rejects(createDocumentFetcher()(url()), FetchFailed);
      assert.equal(hits, 0);
    });
  }

  it('are not fetched from a name that has a private address, even beside a public one', async () => {
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::1'], []]) {
      const fetchDocument = createDocumentFetcher({ lookup: answering(addresses) });
      await assert.rejects(fetchDocument(`https://issuer.example:${port}/`), FetchFailed);
    }
    assert.equal(hits, 0);
  });

  it('are fetched from the address that was checked: a name that leads elsewhere the next time is refused then', () => {
    const publicLookup = createPublicLookup(answering(['8.8.8.8'], ['127.0.0.1']));
    const outcomes: unknown[] = [];
    for (let count = 0; count < 2; count++) {
      publicLookup('issuer.example', { all: true }, (error, addresses) => outcomes.push(error ? 'refused' : addresses));
    }
    assert.deepEqual(outcomes, [[{ address: '8.8.8.8', family: 4 }], 'refused']);
  });

  const answers: [name: string, answer: () => Response][] = [
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://127.0.0.1/' } })],
    ['an error', () => new Response('{}', { status: 500 })],
    ['more than 64 KiB', () => new Response(JSON.stringify({ text: 'x'.repeat(65_536) }))],
    ['what is no JSON', () => new Response('<html>')],
    ['what is no UTF-8', () => new Response(new Uint8Array([0x22, 0xff, 0x22]))],
  ];
  for (const [what, answer] of answers) {
    it(`are none when the answer is ${what}`, async () => {
      let asked = 0;
      const fetchDocument = createDocumentFetcherBy(async (_url, { redirect }) => {
        asked += 1;
        assert.equal(redirect, 'manual');
        return answer();
      });
      await assert.rejects(fetchDocument('https://issuer.example/'), FetchFailed);
      assert.equal(asked, 1);
    });
  }

  it('tell public addresses from the others', () => {
    for (const address of ['8.8.8.8', '2606:4700::1111', '1.1.1.1']) assert.ok(isPublicAddress(address), address);
    for (const address of [
      '198.18.0.1',
      '192.0.2.1',
      '255.255.255.255',
      '224.0.0.1',
      '2001:db8::1',
      'fec0::1',
      'x',
      '',
    ]) {
      assert.equal(isPublicAddress(address), false, address);
    }
  });
});
