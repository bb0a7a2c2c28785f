// Permissions: what a client may ask of a resource server.
import assert from 'node:assert/strict';
import { grantedScope } from '../../src/clients/permissions.ts';
import type { ClientRecord, ResourceServer } from '../../src/store.ts';

function clientWith(audiences: ClientRecord['audiences']): ClientRecord {
  return { clientId: 'web', metadata: {}, audiences, secrets: [], createdAt: 0 };
}

function resourceServer(audience: string, scope: string): ResourceServer {
  return { audience, scope, alg: 'ES256', createdAt: 0 };
}

describe('permissions', () => {
  for (const [name, audiences, asked, granted] of [
    ['everything of an audience granted whole', { logs: null }, resourceServer('logs', 'write read'), 'write read'],
    ['what was granted of it', { logs: 'read' }, resourceServer('logs', 'write read'), 'read'],
    ['only what the resource server still knows', { logs: 'read purge' }, resourceServer('logs', 'write read'), 'read'],
    ['nothing in particular where it knows no scopes', { logs: null }, resourceServer('logs', ''), ''],
    ['nothing in particular where none was granted', { logs: '' }, resourceServer('logs', 'write read'), ''],
    ['not an audience that was not granted', { logs: null }, resourceServer('mail', 'send'), undefined],
    ['not an audience in other letters', { logs: null }, resourceServer('LOGS', 'read'), undefined],
    ['not a name that every object has', {}, resourceServer('constructor', 'read'), undefined],
    ['not the prototype', {}, resourceServer('__proto__', 'read'), undefined],
  ] as const) {
    it(`allow ${name}`, () => {
      assert.equal(grantedScope(clientWith(audiences), asked), granted);
    });
  }
});
