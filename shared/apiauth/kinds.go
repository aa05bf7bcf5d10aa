package apiauth

import (
	"maps"
	"slices"
)

// A kind is one way to authenticate.
type kind struct {
	fields []string // of auth that it has, besides certificate and private_key
	build  func(*builder)
}

// kinds are all there are, by their type in the configuration. To add one: a file
// with its build, and its line here.
var kinds = map[string]kind{
	"none":       {nil, buildNone},
	"mtls":       {nil, buildMTLS},
	"bearer":     {[]string{"prefix"}, buildBearer},
	"basic":      {[]string{"username", "password"}, buildBasic},
	"api_key":    {[]string{"prefix", "in", "name", "value", "keys"}, buildAPIKey},
	"oauth2":     {[]string{"prefix", "in", "name", "grant", "token_url", "client_id", "client_secret", "client_auth", "refresh_token", "rotate", "scopes", "params", "username", "password", "token_path", "lifetime"}, buildOAuth2},
	"jwt_bearer": {[]string{"prefix", "in", "name", "token_url", "client_id", "client_secret", "client_auth", "scopes", "params", "algorithm", "key", "key_id", "claims", "lifetime", "token_path"}, buildJWT},
	"session":    {[]string{"prefix", "in", "name", "login", "token_path", "lifetime"}, buildSession},
	"hmac":       {[]string{"prefix", "in", "name", "value", "algorithm", "key", "signed", "encoding", "headers"}, buildHMAC},
	"aws_sigv4":  {[]string{"service", "region", "access_key", "secret_key", "session_token"}, buildSigV4},
}

// Types are the names of all kinds, sorted.
func Types() []string { return slices.Sorted(maps.Keys(kinds)) }

// Fields are the keys of auth that a type has, besides type; nil of an unknown one.
func Fields(name string) []string {
	k, ok := kinds[name]
	if !ok {
		return nil
	}
	return append(slices.Clone(k.fields), "certificate", "private_key")
}
