// Behaviour of the strict JSON reader.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseStrictObject } from '../src/strict-json.ts';

const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

const accepted = [
  '{}',
  ' { "a" : 1 , "b" : [ 1 , "a" , { "a" : null } ] } ',
  '{"a":{"b":1},"b":{"a":1}}',
  '{"a":"a","b":["b","b"],"c":"\\",\\"a\\":"}',
  '{"a\\\\":1,"a":2}',
  '{"a":[{"x":1},{"x":1}],"x":2}',
  '{"__proto__":1,"constructor":2}',
  '{"":1," ":2}',
  nested(16),
];

const refused: [string, string | Uint8Array][] = [
  ['a member named twice', '{"a":1,"a":1}'],
  ['a member named twice, once by an escape', '{"kid":1,"\\u006bid":2}'],
  ['a nested member named twice', '{"a":{"b":1,"c":[],"b":1}}'],
  ['a member named twice in an object in an array', '{"a":[0,{"b":1,"b":2}]}'],
  ['a member named twice around an object', '{"a":{"a":1},"a":2}'],
  ['a member named twice around an array', '{"a":["a"],"a":2}'],
  ['__proto__ twice', '{"__proto__":1,"__proto__":1}'],
  ['an empty name twice', '{"":1,"":1}'],
  ['names with escaped quotes twice', '{"a\\"":1,"a\\"":2}'],
  ['17 levels', nested(17)],
  ['an array', '[]'],
  ['null', 'null'],
  ['a string', '"{}"'],
  ['a number', '1'],
  ['nothing', ''],
  ['a trailing comma', '{"a":1,}'],
  ['two objects', '{}{}'],
  ['a comment', '{/**/}'],
  ['single quotes', "{'a':1}"],
  ['a byte order mark', '\uFEFF{}'],
  ['a raw control character', '{"a":"\n"}'],
  ['NaN', '{"a":NaN}'],
  ['a truncated UTF-8 sequence', Uint8Array.of(0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d)],
  ['an overlong UTF-8 sequence', Uint8Array.of(0x7b, 0x22, 0xc1, 0xa1, 0x22, 0x3a, 0x31, 0x7d)],
  ['UTF-16', new Uint8Array(Buffer.from('{}', 'utf16le'))],
];

describe('strict JSON', () => {
  for (const text of accepted) {
    it(`reads ${text.slice(0, 60)} as JSON.parse does`, () => {
      assert.deepEqual(parseStrictObject(Buffer.from(text)), JSON.parse(text));
    });
  }

  for (const [name, json] of refused) {
    it(`refuses ${name}`, () => {
      assert.equal(parseStrictObject(typeof json === 'string' ? Buffer.from(json) : json), undefined);
    });
  }

  it('leaves every other object without the members it read', () => {
    parseStrictObject(Buffer.from('{"__proto__":{"polluted":true}}'));
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });
});
