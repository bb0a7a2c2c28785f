// Two instances of our service, one of which is the upstream of the other.
import assert from 'node:assert/strict';
import { type Service, startService } from './service.ts';

export interface UpstreamSetting extends AsyncDisposable {
  /** where people have accounts elsewhere; not an upstream that anybody believes about e-mail addresses by itself */
  readonly there: Service;
  /** calls the other one `Elsewhere` */
  readonly here: Service;
}

/** @param env of ours, on top of what makes it know the other one */
export async function startUpstreamSetting(env: Record<string, string> = {}): Promise<UpstreamSetting> {
  await using opening = new AsyncDisposableStack();
  const there = opening.use(await startService());
  const { clientId, secret } = await there.addClient({
    clientId: 'here',
    metadata: { redirect_uris: ['https://nowhere.example/'], first_party: true },
  });
  const settings = {
    UPSTREAM_OIDC_ISSUER: there.issuer,
    UPSTREAM_OIDC_NAME: 'Elsewhere',
    UPSTREAM_OIDC_CLIENT_ID: clientId,
    UPSTREAM_OIDC_CLIENT_SECRET: secret,
    ...env,
  };
  // another host than the other one's, so that a browser does not mix up their cookies
  const here = opening.use(await startService(settings, { hostname: 'localhost' }));
  const client = await there.store.clients.find(clientId);
  assert.ok(client);
  const redirectUris = [`${here.issuer}/upstream/oidc/callback`];
  await there.store.clients.update({ ...client, metadata: { ...client.metadata, redirect_uris: redirectUris } });
  const opened = opening.move();
  return { there, here, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
