// Stories of clients that authenticate with a TLS certificate, which a proxy passes on (RFC 8705).
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { type Service, startService } from '../support/service.ts';

/** `O=Example, CN=client`, for client.example; self-signed, good for a century. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBtzCCAV6gAwIBAgIUPDF9Zh4H2hdqrKoIemkIwhrorw0wCgYIKoZIzj0EAwIw
IzEQMA4GA1UECgwHRXhhbXBsZTEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyMTIx
Mjg1MloYDzIxMjYxMDI4MjEyODUyWjAjMRAwDgYDVQQKDAdFeGFtcGxlMQ8wDQYD
VQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT+NbsvvzLRIOYQ
3OV2KSqWUTTcybfvxiiL9jsGh0fakBXEOZaLI95jx71Eku2g09GwRB+LKgc0VgXe
7TLgBxD6o24wbDAdBgNVHQ4EFgQUBU1IZBzMNS/3RTmGYbGEWgnRyiwwHwYDVR0j
BBgwFoAUBU1IZBzMNS/3RTmGYbGEWgnRyiwwDwYDVR0TAQH/BAUwAwEB/zAZBgNV
HREEEjAQgg5jbGllbnQuZXhhbXBsZTAKBggqhkjOPQQDAgNHADBEAiADgsilslDo
wSBXQ85tSUq16czka4vfAPszixqYCSi+HwIgfw8pOU8vUGReUgJ+7oV13J/gpPs8
GeLa71j03gTUz3g=
-----END CERTIFICATE-----`;
/** `O=Example, CN=other`, for client.example.org. */
const OTHER = `-----BEGIN CERTIFICATE-----
MIIBuTCCAWCgAwIBAgIUOBJFHyTsN47tfL96iqcqwR+KJP8wCgYIKoZIzj0EAwIw
IjEQMA4GA1UECgwHRXhhbXBsZTEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTIxMjEy
ODUyWhgPMjEyNjEwMjgyMTI4NTJaMCIxEDAOBgNVBAoMB0V4YW1wbGUxDjAMBgNV
BAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKDR/Gu1QJX9+0nL6
G2x6uH9y7fgKeL6wiQKgJbzbN33XkEbsWLRVJihegLkpHKAKqhBLgEPRLQ+aCJ0I
dVAp3qNyMHAwHQYDVR0OBBYEFKPakLzneJPqPwOUMKKINSDlHES/MB8GA1UdIwQY
MBaAFKPakLzneJPqPwOUMKKINSDlHES/MA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0R
BBYwFIISY2xpZW50LmV4YW1wbGUub3JnMAoGCCqGSM49BAMCA0cAMEQCICN/XRRg
LlRqMo1tzypFH4+zr2SmT7awu/7LupF++n2kAiB+DZAFKERMQ+ypLHyZr9xDkMj5
yjO3+9zqjaxYWykpxQ==
-----END CERTIFICATE-----`;

const { raw, publicKey } = new X509Certificate(CERTIFICATE);

describe('Mutual TLS', () => {
  let service: Service;
  before(async () => {
    service = await startService({ OIDC_FEATURES: 'mtls', TRUSTED_PROXIES: '127.0.0.1' });
    const metadata = { grant_types: ['client_credentials'] };
    const audiences = { orders: null };
    await service.resourceServers.add({ audience: 'orders' });
    await service.addClient({
      clientId: 'self-signed',
      metadata: {
        ...metadata,
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        tls_client_certificate_bound_access_tokens: true,
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }] },
      },
      audiences,
    });
    for (const [clientId, subject] of Object.entries({
      'by-dns': { tls_client_auth_san_dns: 'client.example' },
      'by-dn': { tls_client_auth_subject_dn: 'CN=client,O=Example' },
    })) {
      await service.addClient({
        clientId,
        metadata: { ...metadata, token_endpoint_auth_method: 'tls_client_auth', ...subject },
        audiences,
      });
    }
  });
  after(() => service[Symbol.asyncDispose]());

  function ask(
    clientId: string,
    certificate: string,
    verified = 'SUCCESS',
    origin = service.origin,
  ): Promise<Response> {
    return fetch(`${origin}/token`, {
      method: 'POST',
      headers: { 'x-ssl-client-cert': encodeURIComponent(certificate), 'x-ssl-client-verify': verified },
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, audience: 'orders' }),
    });
  }

  it('authenticates by a self-signed certificate, and binds the token to it (RFC 8705 §2.2, §3.1)', async () => {
    const answer = await ask('self-signed', CERTIFICATE, 'FAILED:self-signed certificate');
    const { access_token: token } = (await answer.json()) as { access_token: string };
    assert.equal(answer.status, 200);
    const thumbprint = createHash('sha256').update(raw).digest('base64url');
    assert.deepEqual(decodeJwt(token)['cnf'], { 'x5t#S256': thumbprint });
  });

  it('authenticates by a name in a certificate that the proxy has verified (RFC 8705 §2.1)', async () => {
    for (const clientId of ['by-dns', 'by-dn']) assert.equal((await ask(clientId, CERTIFICATE)).status, 200, clientId);
  });

  const refused: [name: string, clientId: string, certificate: string, verified?: string][] = [
    ['another self-signed certificate', 'self-signed', OTHER],
    ['no certificate', 'self-signed', ''],
    ['what is no certificate', 'self-signed', 'x'],
    ['another alternative name', 'by-dns', OTHER],
    ['another subject', 'by-dn', OTHER],
    ['a certificate that was not verified', 'by-dns', CERTIFICATE, 'FAILED:unable to get issuer certificate'],
    ['a certificate of which the proxy says nothing', 'by-dns', CERTIFICATE, ''],
  ];
  for (const [name, clientId, certificate, verified] of refused) {
    it(`refuses ${name}`, async () => {
      const answer = await ask(clientId, certificate, verified);
      assert.equal(answer.status, 401);
      assert.match(await answer.text(), /^{"error":"invalid_client"/);
    });
  }

  it('believes nobody but the listed proxies', async () => {
    const { database, encryptionKeys } = service.config;
    assert.ok(database.engine === 'sqlite');
    await using direct = await startService({
      OIDC_FEATURES: 'mtls',
      DATABASE_URL: `sqlite:${database.path}`,
      ENCRYPTION_KEY: encryptionKeys[0],
    });
    for (const clientId of ['self-signed', 'by-dns']) {
      assert.equal((await ask(clientId, CERTIFICATE, 'SUCCESS', direct.origin)).status, 401, clientId);
    }
  });
});
