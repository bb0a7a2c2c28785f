// Go: a caller and a middleware of net/http, by golang-jwt.
import { literal, type Snippet, type SnippetFacts } from './facts.ts';

export function go(facts: SnippetFacts): Snippet {
  return { caller: caller(facts), verifier: verifier(facts) };
}

function caller({ tokenEndpoint, audience, clientId }: SnippetFacts): string {
  return `// Calls ${audience} as a service. Needs: go get golang.org/x/oauth2. CLIENT_SECRET comes from the environment.
package caller

import (
	"context"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Client sends a token with every request, and gets another one before it expires.
func Client(ctx context.Context) *http.Client {
	config := clientcredentials.Config{
		ClientID:       ${clientId === undefined ? 'os.Getenv("CLIENT_ID")' : literal(clientId)},
		ClientSecret:   os.Getenv("CLIENT_SECRET"),
		TokenURL:       ${literal(tokenEndpoint)},
		EndpointParams: url.Values{"audience": {${literal(audience)}}},
		AuthStyle:      oauth2.AuthStyleInHeader,
	}
	return config.Client(ctx)
}
`;
}

function verifier(facts: SnippetFacts): string {
  const { issuer, audience, alg, clockSkew } = facts;
  const shared = alg === 'HS256';
  return `// Accepts access tokens for ${audience} in net/http.
// Needs: go get github.com/golang-jwt/jwt/v5${shared ? '' : ' github.com/MicahParks/keyfunc/v3'}
package verifier

import (
	"context"
	"errors"
	"net/http"
${shared ? '\t"os"\n' : ''}	"slices"
	"strings"
	"time"

${shared ? '' : '\t"github.com/MicahParks/keyfunc/v3"\n'}	"github.com/golang-jwt/jwt/v5"
)

// Claims of an access token (RFC 9068).
type Claims struct {
	jwt.RegisteredClaims
	ClientID string \`json:"client_id"\`
	Scope    string \`json:"scope"\`
}

type claimsKey struct{}

${shared ? sharedSecretKeys : publishedKeys(facts)}
var parser = jwt.NewParser(
	// the service decides which algorithm it accepts, never the token
	jwt.WithValidMethods([]string{${literal(alg)}}),
	jwt.WithIssuer(${literal(issuer)}),
	jwt.WithAudience(${literal(audience)}),
	jwt.WithExpirationRequired(),
	jwt.WithLeeway(${clockSkew}*time.Second),
)

// Verify gives the claims of a good token, and an error for every other.
func Verify(token string, keys jwt.Keyfunc) (*Claims, error) {
	claims := &Claims{}
	parsed, err := parser.ParseWithClaims(token, claims, keys)
	if err != nil {
		return nil, err
	}
	// ID tokens are signed with the same keys: only the type tells them apart
	if typ := parsed.Header["typ"]; typ != "at+jwt" && typ != "application/at+jwt" {
		return nil, errors.New("not an access token")
	}
	if claims.Subject == "" {
		return nil, errors.New("no subject")
	}
	return claims, nil
}

// RequireToken guards a handler; ClaimsOf(request.Context()) has the claims.
func RequireToken(keys jwt.Keyfunc, scope string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		claims, err := Verify(strings.TrimSpace(token), keys)
		if !strings.EqualFold(scheme, "Bearer") || err != nil {
			w.Header().Set("WWW-Authenticate", \`Bearer error="invalid_token"\`)
			http.Error(w, \`{"error":"invalid_token"}\`, http.StatusUnauthorized)
			return
		}
		if scope != "" && !slices.Contains(strings.Fields(claims.Scope), scope) {
			http.Error(w, \`{"error":"insufficient_scope"}\`, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
	})
}

// ClaimsOf gives the claims of a request that RequireToken let through.
func ClaimsOf(ctx context.Context) *Claims {
	claims, _ := ctx.Value(claimsKey{}).(*Claims)
	return claims
}
`;
}

const sharedSecretKeys = `// Keys has every secret that may have signed: several while one is being replaced.
func Keys(context.Context) (jwt.Keyfunc, error) {
	set := jwt.VerificationKeySet{}
	for _, secret := range strings.Split(os.Getenv("JWT_SECRET_KEY"), ",") {
		if secret != "" {
			set.Keys = append(set.Keys, []byte(secret))
		}
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("JWT_SECRET_KEY is not set")
	}
	return func(*jwt.Token) (any, error) { return set, nil }, nil
}
`;

function publishedKeys({ jwksUri }: SnippetFacts): string {
  return `// Keys fetches the issuer's keys, and again when they change, until ctx is done.
func Keys(ctx context.Context) (jwt.Keyfunc, error) {
	jwks, err := keyfunc.NewDefaultCtx(ctx, []string{${literal(jwksUri)}})
	if err != nil {
		return nil, err
	}
	return jwks.Keyfunc, nil
}
`;
}
