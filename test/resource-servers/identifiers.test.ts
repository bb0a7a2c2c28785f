// Resource indicators: how audiences and URIs map to each other.
import assert from 'node:assert/strict';
import { audienceOf, resourceIdentifier } from '../../src/resource-servers/identifiers.ts';

describe('resource indicators', () => {
  for (const [audience, resource] of [
    ['logging-service', 'urn:audience:logging-service'],
    ['https://api.example/', 'https://api.example/'],
    ['https://api.example/v1?x=y', 'https://api.example/v1?x=y'],
    ['urn:example:logs', 'urn:example:logs'],
    ['logs/eu', 'urn:audience:logs%2Feu'],
    ['100%', 'urn:audience:100%25'],
    ['a#b', 'urn:audience:a%23b'],
    ['urn:audience:logs', 'urn:audience:urn%3Aaudience%3Alogs'],
  ] as const) {
    it(`write ${audience} as ${resource}, and back`, () => {
      assert.equal(resourceIdentifier(audience), resource);
      assert.equal(audienceOf(resource), audience);
      assert.ok(URL.canParse(resource));
    });
  }

  for (const resource of [
    'urn:audience:%6Cogs',
    'urn:audience:logs%2feu',
    'urn:audience:%',
    'urn:audience:%ff',
    'urn:audience:https%3A%2F%2Fapi.example%2F',
    'https://other.example/',
    '',
    '\ud800',
  ]) {
    it(`stand for nothing but themselves when nobody writes them: ${JSON.stringify(resource)}`, () => {
      assert.equal(audienceOf(resource), resource);
    });
  }

  it('exist for any text, also a broken one', () => {
    for (const audience of ['', '\ud800', '\0', 'a b', 'ü', 'x'.repeat(100_000)]) {
      assert.ok(URL.canParse(resourceIdentifier(audience)), audience.slice(0, 10));
    }
  });
});
