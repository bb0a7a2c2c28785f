// Verification against algorithm confusion: the key decides the algorithm, never the token.
import { type SigningAlg, signingAlgs } from '../../src/keys/key-generation.ts';
import {
  createKeySet,
  forge,
  goodClaims,
  hmacSigner,
  keySigner,
  sharedSecret,
  sharedSecretIssuer,
  verifierWith,
} from './forgery.ts';
import { refuses } from './refusal-table.ts';

const { keyring, kid, privateKey, publicKey, header: headerOf, signer } = await createKeySet();
const verify = verifierWith({ keyring });
const es256 = headerOf('ES256');
const byUs = signer('ES256');

const hs256Claims = goodClaims({ iss: sharedSecretIssuer });

const genuine = forge(es256, goodClaims(), byUs);
const [genuineHeader = '', genuinePayload = ''] = genuine.split('.');

refuses('verification without a signature (RFC 8725 §3.2)', verify, nones());
function* nones(): Iterable<[string, string]> {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '']) {
    const header = { alg, typ: 'at+jwt' };
    yield [`alg "${alg}" with an empty signature`, forge(header, goodClaims(), () => Buffer.alloc(0))];
    yield [`alg "${alg}" with some signature`, forge(header, goodClaims(), () => Buffer.from('signature'))];
    yield [`alg "${alg}" with our kid and signature`, forge({ ...es256, alg }, goodClaims(), byUs)];
  }
  yield ['a genuine token without its signature', `${genuineHeader}.${genuinePayload}.`];
  yield ['a genuine token of two parts', `${genuineHeader}.${genuinePayload}`];
}

refuses('verification of HS256 made with a published key (RFC 8725 §2.1)', verify, publishedKeysAsSecrets());
function* publishedKeysAsSecrets(): Iterable<[string, string]> {
  for (const alg of signingAlgs) {
    for (const [encoding, secret] of encodingsOf(alg)) {
      for (const [hash, hmacAlg] of [
        ['sha256', 'HS256'],
        ['sha512', 'HS512'],
      ]) {
        const signer = hmacSigner(secret, hash);
        for (const header of [{ alg: hmacAlg }, { alg: hmacAlg, kid: kid(alg), typ: 'at+jwt' }]) {
          yield [`${hmacAlg} by the ${alg} key as ${encoding}, kid ${header.kid}`, forge(header, hs256Claims, signer)];
        }
      }
    }
  }
}

function* encodingsOf(alg: SigningAlg): Iterable<[string, string | Uint8Array]> {
  const key = publicKey(alg);
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const der = key.export({ type: 'spki', format: 'der' });
  const jwk = keyring.publicJwks.keys.find((each) => each.kid === kid(alg)) ?? {};
  yield* [
    ['PEM', pem],
    ['PEM without its last newline', pem.trimEnd()],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PEM after whitespace', ` \n\t${pem}`],
    ['PEM before whitespace', `${pem} \n`],
    ['PEM on one line', pem.replaceAll('\n', '')],
    ['DER', der],
    ['DER in base64', der.toString('base64')],
    ['published JWK', JSON.stringify(jwk)],
    ['indented JWK', JSON.stringify(jwk, null, 2)],
    ['bare JWK', JSON.stringify(key.export({ format: 'jwk' }))],
    ['JWKS', JSON.stringify(keyring.publicJwks)],
    ['kid', kid(alg)],
    ['first coordinate or modulus', Buffer.from(jwk.x ?? jwk.n ?? '', 'base64url')],
    ['nothing', ''],
  ] as const;
  if (key.asymmetricKeyType === 'rsa') yield ['PKCS #1 PEM', key.export({ type: 'pkcs1', format: 'pem' }).toString()];
}

const withAlg = (alg: unknown, key: SigningAlg, signedAs: string = String(alg)) =>
  forge({ alg, typ: 'at+jwt', kid: kid(key) }, goodClaims(), keySigner(signedAs, privateKey(key)));
refuses('verification of an algorithm that is not the key’s (RFC 8725 §3.1)', verify, [
  ['PS256 by the RS256 key', withAlg('PS256', 'RS256')],
  ['RS256 by the PS256 key', withAlg('RS256', 'PS256')],
  ['RS512 by the RS256 key', withAlg('RS512', 'RS256')],
  ['PS512 by the PS256 key', withAlg('PS512', 'PS256')],
  ['ES384 by the ES256 key', withAlg('ES384', 'ES256')],
  ['ES256K in name', withAlg('ES256K', 'ES256', 'ES256')],
  ['es256 in small letters', withAlg('es256', 'ES256', 'ES256')],
  ['Ed25519, the other name of EdDSA', withAlg('Ed25519', 'EdDSA', 'EdDSA')],
  ['a number as alg', withAlg(256, 'ES256', 'ES256')],
  ['null as alg', withAlg(null, 'ES256', 'ES256')],
  ['an array as alg', withAlg(['ES256'], 'ES256', 'ES256')],
  ['an object as alg', withAlg({ name: 'ES256' }, 'ES256', 'ES256')],
  ['no alg', forge({ typ: 'at+jwt', kid: kid('ES256') }, goodClaims(), byUs)],
  ['__proto__ as alg', withAlg('__proto__', 'ES256', 'ES256')],
  [
    'HS256 by the shared secret under the kid of a key pair',
    forge({ ...es256, alg: 'HS256' }, hs256Claims, hmacSigner(sharedSecret)),
  ],
  ['HS384 by the shared secret', forge({ alg: 'HS384' }, hs256Claims, hmacSigner(sharedSecret, 'sha384'))],
  ['HS512 by the shared secret', forge({ alg: 'HS512' }, hs256Claims, hmacSigner(sharedSecret, 'sha512'))],
]);
