package config

import "pushpull/shared/event"

// A Webhook is how one provider's requests are authenticated, read, identified
// and answered. A preset says it all; what is said here takes its place.
//
// Templates have placeholders: {body} (the raw bytes), {body.path} (a value of a
// JSON body), {form.name}, {header.Name}, {query.name}, {method}, {path},
// {query} (as it was sent), {url}, {timestamp}, {with.name}. Filters follow a
// bar: {body|sha256|hex}.
type Webhook struct {
	// Provider names a preset: everything below comes from it, and may be overridden here.
	Provider string `json:"provider,omitempty"`
	// Secret is a reference, or several during a rotation (any of them verifies). For a scheme with a public key, it is that key.
	Secret Secrets `json:"secret,omitempty"`
	// VerifyToken is the reference to the token that a provider shows when it verifies the address (Meta's verify token, Fitbit's code).
	VerifyToken Secrets `json:"verify_token,omitempty"`
	// With gives values for the {with.name} placeholders of the preset, such as PayPal's webhook_id.
	With map[string]string `json:"with,omitempty"`
	// URL is the public address as it was given to the provider, for schemes that sign it. Default: the one that the gateway was called by.
	URL string `json:"url,omitempty"`
	// Methods are those by which events arrive. Default POST.
	Methods Names `json:"methods,omitempty"`
	// Auth is how a request is authenticated.
	Auth *Auth `json:"auth,omitempty"`
	// Require must hold of an authentic request: a placeholder without braces, such as body.TopicArn, and a regular expression for its whole value.
	Require map[string]string `json:"require,omitempty"`
	// Refuse is the status for a request that is not authentic.
	Refuse int `json:"refuse,omitempty" jsonschema:"minimum=200,maximum=499,default=401"`
	// Handshakes are requests that are no events: the provider verifies the address, says hello, or hands over a secret.
	Handshakes []Handshake `json:"handshakes,omitempty"`
	// Body is how the body is read, and where its events are. Default: by its content type, one event.
	Body *Body `json:"body,omitempty"`
	// Event says where the body and headers carry what identifies the event.
	Event *event.Spec `json:"event,omitempty"`
	// Headers are the names of request headers that travel with the event.
	Headers Names `json:"headers,omitempty"`
	// Query are the names of query parameters that travel with the event.
	Query Names `json:"query,omitempty"`
	// Reply is what is answered when the events are queued. Default: 202 and a short JSON.
	Reply *Reply `json:"reply,omitempty"`
	// Rate limits the events of this source: "100/s", or "100/s burst 500". Units are s, m and h. More are answered 429.
	Rate string `json:"rate,omitempty"`
	// MaxBody is the largest body taken, in bytes as sent; more is answered 413.
	MaxBody int `json:"max_body,omitempty" jsonschema:"minimum=1,maximum=6291456,default=6291456"`
	// Hint says that a request carries no data: it polls the source now, and makes no event.
	Hint bool `json:"hint,omitempty"`
	// Hydrate fetches an event from the provider's API before it is delivered, where the body is thin or not signed. A source turns it on by saying it: a preset may know the rest, but not the token.
	Hydrate *Hydrate `json:"hydrate,omitempty"`
}

// Hydrate is how the data of an event are fetched from the provider's API, to be
// delivered instead of what came. Templates are over the event: {body.path} (its
// data), {id}, {type}, {entity}, {version}, and {header.Name} and {query.name} of
// what travels with it. Filters: lower, upper, and path, which leaves slashes.
type Hydrate struct {
	// Token is the reference to the credential; {token} in auth.
	Token Secrets `json:"token,omitempty"`
	// URL is the address of the data: https, with scheme and host written out, so that no event chooses the host. Or a single placeholder, where the event carries the address; then hosts pins it. Of several, the first that is for the event's type and whose values are all there.
	URL event.Choices `json:"url,omitempty"`
	// Hosts are regular expressions for the whole host, where the event carries the address.
	Hosts Names `json:"hosts,omitempty"`
	// Auth is how the request is authenticated, as a poll's.
	Auth *APIAuth `json:"auth,omitempty"`
	// Secrets are references to what else auth needs, by name, such as client_secret; {client_secret} in auth.
	Secrets map[string]Secrets `json:"secrets,omitempty"`
	// With gives values for the {names} in auth, such as client_id.
	With map[string]string `json:"with,omitempty"`
	// Headers are sent with the request: templates, by name.
	Headers map[string]string `json:"headers,omitempty"`
	// Path is where in the answer the data are, such as data; empty is the whole.
	Path string `json:"path,omitempty"`
	// Timeout bounds the request.
	Timeout Duration `json:"timeout,omitempty" jsonschema:"default=10s"`
	// Missing says what becomes of an event that has nothing to be fetched: the API does not have it (404, 410), or no url is for it. It is dead, or what came is kept and delivered.
	Missing string `json:"missing,omitempty" jsonschema:"enum=dead,enum=keep,default=dead"`
	// Except are types whose events are delivered as they came.
	Except Names `json:"except,omitempty"`
	// Cache is how long an answer serves further events that have the same request. It serves none that came after the API was asked.
	Cache Duration `json:"cache,omitempty" jsonschema:"default=10s"`
	// RateLimit is what the API allows the credential. Default: that of the source's poll with the same token, whose budget it is.
	RateLimit *RateLimit `json:"rate_limit,omitempty"`
	// Retry is what is tried again at once. What fails then comes back later.
	Retry *RequestRetry `json:"retry,omitempty"`
}

// Auth is a scheme with its parameters. Which of them count depends on the scheme.
//
//   - hmac: a keyed hash of what is signed. digest: a plain hash, with {secret} in what is signed.
//   - ed25519, ecdsa, rsa, rsa-pss: a signature with a public key, which is the secret, or is fetched (key.url).
//   - jwt: a JSON Web Token, with a secret (HS…) or a public key (RS…, ES…, PS…, EdDSA).
//   - token: a shared text, compared. basic: user:password, compared.
//   - ip: the caller's address. mtls: the caller's certificate.
//   - all, any: several schemes. none: anybody may send.
type Auth struct {
	// Scheme is the way to authenticate.
	Scheme string `json:"scheme" jsonschema:"enum=hmac,enum=digest,enum=ed25519,enum=ecdsa,enum=rsa,enum=rsa-pss,enum=jwt,enum=token,enum=basic,enum=ip,enum=mtls,enum=all,enum=any,enum=none"`
	// Of are the schemes of all (each must pass) and any (one must).
	Of []Auth `json:"of,omitempty"`
	// Secret is the reference for this scheme, where it is another than webhook.secret.
	Secret Secrets `json:"secret,omitempty"`
	// Algorithm is the hash: md5, sha1, sha256 (default), sha384 or sha512; of a jwt the algorithms that are taken, such as HS256.
	Algorithm Names `json:"algorithm,omitempty"`
	// Signature is where the request carries its signature, token or JWT.
	Signature Signature `json:"signature,omitzero"`
	// Encoding is how the signature is written. Default hex, with a public key base64.
	Encoding string `json:"encoding,omitempty" jsonschema:"enum=hex,enum=base64,enum=base64url"`
	// Key is how the secret becomes the key, or where a public key is fetched.
	Key Key `json:"key,omitzero"`
	// Signed is what is signed: a template, by default {body}. Of a list, the parts with an absent value are left out.
	Signed Names `json:"signed,omitempty"`
	// Timestamp is where the request says when it was signed; without it age is not checked.
	Timestamp *Timestamp `json:"timestamp,omitempty"`
	// Field is the form's field whose JSON {body.…} and signature.body are about, where the body is a form or a multipart.
	Field string `json:"field,omitempty"`
	// Each is a path to an array of the body, such as value: every element must pass, and {body.…} is the element.
	Each string `json:"each,omitempty"`
	// Equal are values that must equal a template, besides the signature: {query.bodySHA256: "{body|sha256|hex}"}.
	Equal map[string]string `json:"equal,omitempty"`
	// Issuer is who issued a jwt: its iss.
	Issuer Names `json:"issuer,omitempty"`
	// Audience is for whom a jwt was issued: its aud is one of these templates.
	Audience Names `json:"audience,omitempty"`
	// Claims are what a jwt must say, by a template: {payload_hash: "{body|sha256|hex}"}.
	Claims map[string]string `json:"claims,omitempty"`
	// CIDRs are the networks that an ip may be of.
	CIDRs Names `json:"cidrs,omitempty"`
	// Subject is a regular expression for the whole subject of an mtls certificate.
	Subject string `json:"subject,omitempty"`
}

// A Signature is where a request carries its signature: X-Hub-Signature-256:
// sha256=<hex>, or t=1,v1=<hex>,v1=<hex>, or v1,<base64> v1,<base64>.
type Signature struct {
	// Header is the name of the header, or of several, any of which may carry it; X-Signature-* are X-Signature-1, -2 and so on.
	Header Names `json:"header,omitempty"`
	// Query is the name of the query parameter that carries it.
	Query string `json:"query,omitempty"`
	// Body is the path of the value in a JSON body that carries it; "*" is the whole body.
	Body string `json:"body,omitempty"`
	// Form is the name of the form's field that carries it.
	Form string `json:"form,omitempty"`
	// JSON says that the value is base64 of a JSON object, and where in it the signature is.
	JSON string `json:"json,omitempty"`
	// Detached says that it is a jwt without its payload (header..signature), which is the body.
	Detached bool `json:"detached,omitempty"`
	// Prefix stands before the signature and is required, such as sha256=; of several, any, and "" is none.
	Prefix Names `json:"prefix,omitempty"`
	// Separator stands between the items of a list, such as a comma or a space; empty means one signature.
	Separator string `json:"separator,omitempty"`
	// Equals stands between an item's name and its value. Default "=".
	Equals string `json:"equals,omitempty"`
	// Name is the name of the items that are signatures, such as v1; others are skipped. "*" is any name.
	Name string `json:"name,omitempty"`
	// Groups stands between lists of which each has its own timestamp, such as a space.
	Groups string `json:"groups,omitempty"`
}

// A Key is how the secret's text becomes the key.
type Key struct {
	// Prefix is stripped from the secret where it is there, such as whsec_.
	Prefix string `json:"prefix,omitempty"`
	// Encoding is what the rest is: the text itself (default), or bytes in base64 or hex. A public key may be a PEM (text), or DER or raw bytes (base64, hex).
	Encoding string `json:"encoding,omitempty" jsonschema:"enum=text,enum=base64,enum=hex"`
	// Suffix is appended to the text, such as &.
	Suffix string `json:"suffix,omitempty"`
	// Hash makes the key the hash of the secret: sha1 or sha256, as bytes.
	Hash string `json:"hash,omitempty" jsonschema:"enum=sha1,enum=sha256"`
	// URL is a template for where the public key is fetched: https, of a host among Hosts.
	URL string `json:"url,omitempty"`
	// Hosts are regular expressions for the whole host of URL, where it comes from the request.
	Hosts Names `json:"hosts,omitempty"`
	// Paths are regular expressions for the whole path of URL, with its query, where it comes from the request.
	Paths Names `json:"paths,omitempty"`
	// Document is what URL answers: a JSON Web Key Set, a PEM (public key or certificate), or GitHub's list of keys.
	Document string `json:"document,omitempty" jsonschema:"enum=jwks,enum=pem,enum=certificate,enum=github"`
	// ID is a template for the key's id in the document. Of a jwt it is the token's own kid.
	ID string `json:"id,omitempty"`
	// Shared says that the key signs for every customer of the provider, so that something else must say whose an event is.
	Shared bool `json:"shared,omitempty"`
}

// A Timestamp is where a request says when it was signed.
type Timestamp struct {
	// Header is the header that holds it.
	Header string `json:"header,omitempty"`
	// Name is the name of the item of the signature, such as t.
	Name string `json:"name,omitempty"`
	// First says that it is the first item of the signature, which has no names.
	First bool `json:"first,omitempty"`
	// Body is its path in a JSON body.
	Body string `json:"body,omitempty"`
	// Form is its field in a form.
	Form string `json:"form,omitempty"`
	// Query is its query parameter.
	Query string `json:"query,omitempty"`
	// Claim is the claim of a jwt, such as iat, where its age is checked besides exp and nbf.
	Claim string `json:"claim,omitempty"`
	// Unit is how it is written: s (default), ms, rfc3339, http (as in the header Date), or auto for seconds or milliseconds by their size.
	Unit string `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=rfc3339,enum=http,enum=auto"`
	// Tolerance is how old it may be, and how far in the future. Default 5m.
	Tolerance Duration `json:"tolerance,omitempty"`
}

// A Body is how a request's body is read and where its events are.
type Body struct {
	// Format is what the body is, whatever its content type says. Default auto: by the content type.
	Format string `json:"format,omitempty" jsonschema:"enum=auto,enum=json,enum=form,enum=multipart,enum=xml,enum=ndjson,enum=jwt,enum=text,enum=bytes"`
	// Field is the field of a form (or of a multipart) whose value is the real body. A form without it, and what is no form, are taken as they are.
	Field string `json:"field,omitempty"`
	// FieldFormat is what that value is. Default json.
	FieldFormat string `json:"field_format,omitempty" jsonschema:"enum=json,enum=xml,enum=text"`
	// FieldEncoding is base64 where the value is.
	FieldEncoding string `json:"field_encoding,omitempty" jsonschema:"enum=base64"`
	// Each are the paths of the arrays whose elements are events of their own: events, or entry[].changes, or [] where the body is the array. Without any of them there, the whole body is one event.
	Each Names `json:"each,omitempty"`
	// Add adds members to an element that is an object, from around it: {realm: parent.realmId, account: root.id}.
	Add map[string]string `json:"add,omitempty"`
	// ToJSON makes the event's data JSON where the body is a form, a multipart or XML. Default: the bytes as they came.
	ToJSON bool `json:"to_json,omitempty"`
	// MaxDecoded is the largest body after decompression, in bytes; more is answered 413. The default is the most that the receiver's memory bears.
	MaxDecoded int `json:"max_decoded,omitempty" jsonschema:"minimum=1,maximum=16777216,default=16777216"`
}

// A Handshake is a kind of request that is no event, and its answer. The first
// whose conditions hold is taken.
type Handshake struct {
	// When are the conditions: method, header.Name, query.name, body.path or form.name, and a regular expression for the whole value; "" is absent.
	When map[string]string `json:"when"`
	// By is who may have it answered: an event's sender (authenticated as an event is), who shows verify_token, or anyone.
	By string `json:"by,omitempty" jsonschema:"enum=event,enum=token,enum=anyone,default=event"`
	// Token is the placeholder that must equal verify_token, such as query.hub.verify_token.
	Token string `json:"token,omitempty"`
	// Refuse is the status for another token.
	Refuse int `json:"refuse,omitempty" jsonschema:"minimum=400,maximum=499,default=403"`
	// Keep is the placeholder of a secret that is handed over: it is stored at webhook.secret, and used from then on.
	Keep string `json:"keep,omitempty"`
	// Confirm is the placeholder of an address that is fetched before the answer, such as body.SubscribeURL.
	Confirm string `json:"confirm,omitempty"`
	// Hosts are regular expressions for the whole host of Confirm.
	Hosts Names `json:"hosts,omitempty"`
	// Answer is what is answered.
	Answer Reply `json:"answer,omitzero"`
}

// A Reply is what a provider is answered. Values of placeholders are escaped in
// JSON, and refused in a header if they are not printable.
type Reply struct {
	// Status is the HTTP status.
	Status int `json:"status,omitempty" jsonschema:"minimum=200,maximum=299"`
	// Type is the content type. Default text/plain where there is a body.
	Type string `json:"type,omitempty"`
	// Body is a template.
	Body string `json:"body,omitempty"`
	// Headers are templates, by name.
	Headers map[string]string `json:"headers,omitempty"`
	// Sign makes {signature} of what it says is signed, with the first secret.
	Sign *Auth `json:"sign,omitempty"`
}

// ReadField is the form's field that is all that is read of the body; "" where
// more is.
func (w Webhook) ReadField() string {
	if w.Body == nil {
		return ""
	}
	return w.Body.Field
}
