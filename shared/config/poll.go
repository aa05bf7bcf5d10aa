package config

import (
	"encoding/json"

	"pushpull/shared/event"
)

// A Poll is how one resource of a provider's API is read. A preset says most of
// it; what is said here takes its place.
//
// Templates have placeholders: {name} of with; and, in request, {start} and {end}
// (the bounds of what is asked for), {cursor}, {page_size}, {now}, {parent.name}.
// A parameter, header, form field or member of json whose placeholder has nothing
// yet is left out: {cursor} on the first page. Conditions and filters are jq;
// the names of headers are in lower case there.
type Poll struct {
	// Name tells several polls of one source apart; the only one, or one of them, needs none.
	Name string `json:"name,omitempty"`
	// Provider names a preset: everything below comes from it, and may be overridden here.
	Provider string `json:"provider,omitempty"`
	// Resource is which of the preset's resources is read, such as events.
	Resource string `json:"resource,omitempty"`
	// Token is the reference to the credential; {token} in auth.
	Token Secrets `json:"token,omitempty"`
	// Secrets are references to what else auth needs, by name, such as client_secret; {client_secret} in auth.
	Secrets map[string]Secrets `json:"secrets,omitempty"`
	// With gives values for the {names} in base_url, auth and request, such as owner and repo.
	With map[string]string `json:"with,omitempty"`

	// Every is how often the source is polled, from 5 seconds up; with adapt it is where the interval begins.
	Every Duration `json:"every,omitempty" jsonschema:"default=15m"`
	// Min is the shortest interval that adapt may choose. Default: a fifteenth of every, but 1m at least (every, where that is shorter).
	Min Duration `json:"min,omitempty"`
	// Max is the longest interval that adapt may choose. Default: 8 times every, but no more than the retention allows.
	Max Duration `json:"max,omitempty"`
	// Adapt sets the interval by what polls find: misses (default for a source with a webhook) is shorter while push misses events and longer while it is sound; activity looks at all new records; none keeps to every.
	Adapt string `json:"adapt,omitempty" jsonschema:"enum=misses,enum=activity,enum=none"`

	// BaseURL is the API's address: https, but for loopback.
	BaseURL string `json:"base_url,omitempty"`
	// Auth is how requests are authenticated.
	Auth *APIAuth `json:"auth,omitempty"`
	// Request is the request for a page.
	Request *Request `json:"request,omitempty"`
	// Records is where a page holds its records, and how they are written.
	Records *Records `json:"records,omitempty"`
	// Pagination is how one page leads to the next.
	Pagination *Pagination `json:"pagination,omitempty"`
	// Incremental is how a poll goes on where the last one ended. Without it each poll reads everything.
	Incremental *Incremental `json:"incremental,omitempty"`
	// Conditional sends the last answer's validators, so that no change costs nothing: etag, last_modified or both.
	Conditional string `json:"conditional,omitempty" jsonschema:"enum=none,enum=etag,enum=last_modified,enum=both,default=none"`
	// Parent is a list that is read first; each of its records makes requests of its own.
	Parent *Parent `json:"parent,omitempty"`
	// Detail is one more request for each record that needs it, whose answer is the record.
	Detail *Detail `json:"detail,omitempty"`
	// Export is how an API that makes a file for us is asked for it; request is then what creates the job.
	Export *Export `json:"export,omitempty"`
	// Snapshot finds changes by comparing with what was there at the last run, for an API that cannot be asked for them.
	Snapshot *Snapshot `json:"snapshot,omitempty"`
	// RateLimit is what the API allows a credential, and how it says so.
	RateLimit *RateLimit `json:"rate_limit,omitempty"`
	// Retry is what is tried again, and how often.
	Retry *RequestRetry `json:"retry,omitempty"`
	// Backfill is how an older range is read beside the live poll.
	Backfill *Backfill `json:"backfill,omitempty"`
	// Event says where a record carries what identifies the event; {body.…} is the record.
	Event *event.Spec `json:"event,omitempty"`
}

// Polls are the polls of a source. In YAML a single one may stand instead of a list.
type Polls []Poll

// UnmarshalJSON takes one poll or a list.
func (p *Polls) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*p = make(Polls, 1)
		return json.Unmarshal(b, &(*p)[0])
	}
	return json.Unmarshal(b, (*[]Poll)(p))
}

// Named is the poll of that name; nil where there is none.
func (p Polls) Named(name string) *Poll {
	for i := range p {
		if p[i].Name == name {
			return &p[i]
		}
	}
	return nil
}

// APIAuth is how requests to an API are authenticated. Which fields count depends
// on the type. Texts are templates over with, {token} and the names of secrets; a
// placeholder may have filters: {body|sha256|hex}, {token|unbase64}.
//
//   - none; bearer: prefix. basic: username, password. api_key: in, name, value; or keys.
//   - oauth2: grant, token_url, client_id, client_secret, client_auth, scopes, refresh_token, rotate, params.
//   - jwt_bearer: algorithm, key, key_id, claims, lifetime; exchanged at token_url, or sent as it is where there is none.
//   - session: login, token_path, lifetime; sent as api_key or bearer is (in, name, prefix).
//   - hmac: algorithm, key, signed, encoding, in, name, prefix, value, headers. aws_sigv4: service, region, access_key, secret_key, session_token.
//   - mtls: certificate and private_key, which may stand beside any other type.
type APIAuth struct {
	// Type is the way to authenticate.
	Type string `json:"type" jsonschema:"enum=none,enum=bearer,enum=basic,enum=api_key,enum=oauth2,enum=jwt_bearer,enum=session,enum=hmac,enum=aws_sigv4,enum=mtls"`
	// Prefix stands before a token or a signature. Default "Bearer" for those that are sent as one.
	Prefix string `json:"prefix,omitempty"`
	// Username and Password are for basic. Default {token} and nothing.
	Username string `json:"username,omitempty"`
	// Password is the second half of basic.
	Password string `json:"password,omitempty"`
	// In is where a key, session token or signature goes; an api_key also as a member of the JSON body. Default header.
	In string `json:"in,omitempty" jsonschema:"enum=header,enum=query,enum=cookie,enum=body"`
	// Name is the header's, parameter's or cookie's name.
	Name string `json:"name,omitempty"`
	// Value is what is sent: of an api_key {token}, of an hmac {signature}, where it is not said.
	Value string `json:"value,omitempty"`
	// Keys are several keys of an api_key, by name: DD-API-KEY: "{token}".
	Keys map[string]string `json:"keys,omitempty"`

	// Grant is how oauth2 gets its token.
	Grant string `json:"grant,omitempty" jsonschema:"enum=client_credentials,enum=refresh_token,enum=password"`
	// TokenURL is where tokens are given out: https, but for loopback; /path is at base_url.
	TokenURL string `json:"token_url,omitempty"`
	// ClientID names the client.
	ClientID string `json:"client_id,omitempty"`
	// ClientSecret is its secret: a template over the names of secrets, never the value. Default {client_secret}.
	ClientSecret string `json:"client_secret,omitempty"`
	// ClientAuth is how the client shows them: as basic auth (header, the default), or in the form. For jwt_bearer header sends the JWT itself as a bearer token, as GitHub's apps do.
	ClientAuth string `json:"client_auth,omitempty" jsonschema:"enum=header,enum=body"`
	// RefreshToken is the name of the secret that holds it, for the grant refresh_token. Default refresh_token.
	RefreshToken string `json:"refresh_token,omitempty"`
	// Rotate says that each refresh gives a new refresh token: it is written back to the secret store before the access token is used. The secret is an ssm: parameter; it begins as the refresh token alone, and is a JSON document from the first refresh on.
	Rotate bool `json:"rotate,omitempty"`
	// Scopes are what is asked for.
	Scopes Names `json:"scopes,omitempty"`
	// Params are further fields of the token request, such as audience, resource or account_id; grant_type for a grant of the provider's own. For jwt_bearer {jwt} is the JWT, where it does not go into assertion.
	Params map[string]string `json:"params,omitempty"`

	// Algorithm is RS256 (default), ES256, PS256, EdDSA or HS256 for jwt_bearer; sha256 (default), sha1 or sha512 for hmac.
	Algorithm string `json:"algorithm,omitempty"`
	// Key is the key that signs: a template, by default {token}; PEM, or for a service account its JSON document, of which the parts are {key.client_email} and so on.
	Key string `json:"key,omitempty"`
	// KeyID is the kid of a jwt's header.
	KeyID string `json:"key_id,omitempty"`
	// Claims are a jwt's: iss, sub, aud and others; iat, exp and jti are added.
	Claims map[string]string `json:"claims,omitempty"`
	// Lifetime is how long a jwt (default 5m) or a session is good; a token whose answer does not say, too. A session without it is good until it is refused.
	Lifetime Duration `json:"lifetime,omitempty"`

	// Login is the request that begins a session: a POST, where it is not said. Its path is at base_url, or a whole address.
	Login *Request `json:"login,omitempty"`
	// TokenPath leads to the token in the answer of a login or of token_url: in its JSON, or header.NAME or cookie.NAME. Default access_token.
	TokenPath string `json:"token_path,omitempty"`

	// Signed is what an hmac signs: a template that has {method}, {path}, {query}, {url}, {host}, {body}, {timestamp}, {timestamp_ms}, {date} and {nonce}, too.
	Signed string `json:"signed,omitempty"`
	// Encoding is how a signature is written.
	Encoding string `json:"encoding,omitempty" jsonschema:"enum=hex,enum=base64"`
	// Headers are further headers that a signature needs, such as {timestamp}; they may have {signature}.
	Headers map[string]string `json:"headers,omitempty"`

	// Service and Region are of aws_sigv4.
	Service string `json:"service,omitempty"`
	// Region is where the service is.
	Region string `json:"region,omitempty"`
	// AccessKey is the access key's id. Default: the function's own role.
	AccessKey string `json:"access_key,omitempty"`
	// SecretKey is its secret.
	SecretKey string `json:"secret_key,omitempty"`
	// SessionToken is for temporary keys.
	SessionToken string `json:"session_token,omitempty"`

	// Certificate is the client's certificate in PEM, as a template over the names of secrets.
	Certificate string `json:"certificate,omitempty"`
	// PrivateKey is its key.
	PrivateKey string `json:"private_key,omitempty"`
}

// A Request is one request to the API. Values are templates.
type Request struct {
	// Method is GET (default), POST or another. One of GET is made with nothing in its body.
	Method string `json:"method,omitempty" jsonschema:"enum=GET,enum=POST,enum=PUT,enum=PATCH"`
	// Path is appended to base_url.
	Path string `json:"path"`
	// Params are the query parameters.
	Params map[string]string `json:"params,omitempty"`
	// FirstOnly are the params that are sent for the first page alone.
	FirstOnly Names `json:"first_only,omitempty"`
	// Headers are sent with it.
	Headers map[string]string `json:"headers,omitempty"`
	// JSON is the body; its texts are templates. One that is nothing but {page_size}, {cursor} of an offset or a page, or a bound in unix or unix_ms, is a number; {start|text} is not.
	JSON any `json:"json,omitempty"`
	// Form is the body as a form.
	Form map[string]string `json:"form,omitempty"`
	// GraphQL is the body as a GraphQL query.
	GraphQL *GraphQL `json:"graphql,omitempty"`
	// Timeout bounds the request.
	Timeout Duration `json:"timeout,omitempty" jsonschema:"default=30s"`
	// MaxBytes bounds what of an answer is held at once, in bytes: a record, and what stands beside the records; all of it where jq or a feed needs it whole.
	MaxBytes int `json:"max_bytes,omitempty" jsonschema:"minimum=1,maximum=268435456,default=33554432"`
	// Hosts are further hosts, besides that of base_url, that pages may lead to and that get the credential.
	Hosts Names `json:"hosts,omitempty"`
}

// GraphQL is a query and its variables.
type GraphQL struct {
	// Query is the document.
	Query string `json:"query"`
	// Variables are templates; one that has nothing yet is left out.
	Variables map[string]string `json:"variables,omitempty"`
	// Operation is the operationName.
	Operation string `json:"operation,omitempty"`
}

// Records is where a page holds its records, and how they are written.
type Records struct {
	// Path leads to the array, such as data.items; empty where the page is the array. A path to an object makes a record of each of its values' elements.
	Path string `json:"path,omitempty"`
	// JQ makes the records of a page instead of path: .added[], (.removed[] | .deleted = true). It needs the page whole.
	JQ string `json:"jq,omitempty"`
	// Format is how they are written. Default: by the content type, else json.
	Format string `json:"format,omitempty" jsonschema:"enum=json,enum=ndjson,enum=csv,enum=xml,enum=feed"`
	// Encoding is how an answer is packed besides its Content-Encoding. Default: gzip and zip are recognised.
	Encoding string `json:"encoding,omitempty" jsonschema:"enum=none,enum=gzip,enum=zip"`
	// Delimiter is between the fields of csv. Default a comma.
	Delimiter string `json:"delimiter,omitempty"`
	// Each is a jq filter over a record: what it gives out are the records, none or several.
	Each string `json:"each,omitempty"`
	// Optional says that the API leaves the array out when it has nothing; else its absence is an error.
	Optional bool `json:"optional,omitempty"`
	// Data is a path in a record: what of it are the event's data. Default: all; what identifies it is read from all in any case.
	Data string `json:"data,omitempty"`
	// DeletedWhen is a jq condition on a record: its entity was deleted.
	DeletedWhen string `json:"deleted_when,omitempty"`
	// DeletedType is the type of the event of a deleted record: a template over {body.…} and {type}.
	DeletedType string `json:"deleted_type,omitempty" jsonschema:"default={type}.deleted"`
}

// Pagination is how one page leads to the next.
type Pagination struct {
	// Type is how: link_header (RFC 8288), next_url (in the body), cursor (in the body or a header), keyset (a field of the last record), offset, page, sync_token (a cursor that is kept between the runs), or none.
	Type string `json:"type" jsonschema:"enum=none,enum=link_header,enum=next_url,enum=cursor,enum=keyset,enum=offset,enum=page,enum=sync_token"`
	// CursorPath leads to the next cursor in the body (cursor, sync_token), in the last record (keyset), or to the next address (next_url).
	CursorPath string `json:"cursor_path,omitempty"`
	// CursorHeader is the header of the answer that has the next cursor or address instead.
	CursorHeader string `json:"cursor_header,omitempty"`
	// CursorParam is the query parameter that takes the cursor, offset or page; else {cursor} stands in request.
	CursorParam string `json:"cursor_param,omitempty"`
	// TokenPath leads to the token of a sync_token on the last page, where it is not cursor_path.
	TokenPath string `json:"token_path,omitempty"`
	// TokenParam is the query parameter that takes it in the next run. Default cursor_param; where there is neither, the token is an address.
	TokenParam string `json:"token_param,omitempty"`
	// Seed is the request that gives the first token of a sync_token that begins now.
	Seed *Seed `json:"seed,omitempty"`
	// HasMorePath leads to a flag that is true while there are more pages.
	HasMorePath string `json:"has_more_path,omitempty"`
	// StopWhen is a jq condition on {body, headers, status, count}: this page is the last.
	StopWhen string `json:"stop_when,omitempty"`
	// PageSize is how many records a page has at most, {page_size}; a shorter page is the last of offset and page, where nothing else says so.
	PageSize int `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100000"`
	// PageSizeParam is the query parameter that takes it.
	PageSizeParam string `json:"page_size_param,omitempty"`
	// Start is the first offset or page: 0 for offset, 1 for page.
	Start *int `json:"start,omitempty"`
	// TotalPath leads to the number of all records, or of all pages with total_pages_path.
	TotalPath string `json:"total_path,omitempty"`
	// TotalPagesPath leads to the number of pages.
	TotalPagesPath string `json:"total_pages_path,omitempty"`
	// EmptyPage says what a page without records means where it leads on: nothing (continue), or the end.
	EmptyPage string `json:"empty_page,omitempty" jsonschema:"enum=continue,enum=end,default=continue"`
	// MaxDepth is how many records of one query the API gives out; at it the query is made anew from the last value of incremental.cursor_path.
	MaxDepth int `json:"max_depth,omitempty" jsonschema:"minimum=1"`
	// CursorTTL is how long a cursor is good; a run that was cut short for longer begins anew.
	CursorTTL Duration `json:"cursor_ttl,omitempty"`
	// MaxPages bounds one job; a longer run goes on in its continuation.
	MaxPages int `json:"max_pages,omitempty" jsonschema:"minimum=1,maximum=1000000,default=1000"`
}

// A Seed is the request for the first token of a sync_token.
type Seed struct {
	Request
	// TokenPath leads to the token in its answer.
	TokenPath string `json:"token_path"`
	// Status is that of the answer, where it is not 200: Asana says 412.
	Status int `json:"status,omitempty" jsonschema:"minimum=200,maximum=499"`
}

// Incremental is how a poll goes on where the last one ended.
type Incremental struct {
	// CursorPath leads to the field of a record that the API filters by, such as created.
	CursorPath string `json:"cursor_path,omitempty"`
	// StartParam is the query parameter that takes the lower bound, such as created[gte]; else {start} stands in request; empty where the API has none and reading stops at the first page that is all known.
	StartParam string `json:"start_param,omitempty"`
	// EndParam is the query parameter that takes the upper bound; else {end} stands in request.
	EndParam string `json:"end_param,omitempty"`
	// Format is how the bounds are written: rfc3339, unix, unix_ms, date, text (as the records have it), or layout.
	Format string `json:"format,omitempty" jsonschema:"enum=rfc3339,enum=unix,enum=unix_ms,enum=date,enum=text,enum=layout,default=rfc3339"`
	// Layout is Go's reference time as the API writes it, for format layout: 2006-01-02 15:04.
	Layout string `json:"layout,omitempty"`
	// TimeZone is where times without an offset are. Default UTC.
	TimeZone string `json:"time_zone,omitempty"`
	// Precision is that of the API's filter: bounds are rounded down to it, and it is read again as a whole.
	Precision string `json:"precision,omitempty" jsonschema:"enum=ms,enum=s,enum=m,enum=h,enum=d"`
	// Exclusive says that the lower bound itself is not given out: the request asks for a little earlier.
	Exclusive bool `json:"exclusive,omitempty"`
	// Order is how the API sorts: asc saves the checkpoint with each page, desc and none at the end of the run.
	Order string `json:"order,omitempty" jsonschema:"enum=asc,enum=desc,enum=none,default=none"`
	// Lookback is read again in each run, for records that become visible late.
	Lookback Duration `json:"lookback,omitempty"`
	// Settle is how far behind the API's clock a run stays.
	Settle Duration `json:"settle,omitempty"`
	// Window is the longest range of one query; a longer one is read in slices.
	Window Duration `json:"window,omitempty"`
	// MinWindow is the shortest range that a query is cut to when max_depth is reached.
	MinWindow Duration `json:"min_window,omitempty"`
	// MarkPath leads to the time in the body up to which the API is complete: the next run begins there.
	MarkPath string `json:"mark_path,omitempty"`
	// Initial is how far back the very first poll reads; 0s is from now on.
	Initial *Duration `json:"initial,omitempty" jsonschema:"default=24h"`
	// Retention is how long the API keeps its history: a checkpoint near that age is an alarm.
	Retention Duration `json:"retention,omitempty"`
	// OnExpired is how the API refuses a cursor, token or bound that is too old, and what then.
	OnExpired *OnExpired `json:"on_expired,omitempty"`
}

// OnExpired is how the API refuses a cursor, token or bound that is too old.
type OnExpired struct {
	// Status are the statuses that say so. Default 410.
	Status []int `json:"status,omitempty"`
	// When is a jq condition on {body, headers, status} that must hold besides.
	When string `json:"when,omitempty"`
	// Action is resync, which reads anew what the API has, or fail.
	Action string `json:"action,omitempty" jsonschema:"enum=resync,enum=fail,default=resync"`
}

// A Parent is a list that is read first; each of its records makes requests of its own.
type Parent struct {
	// Request is the request for a page of the list.
	Request *Request `json:"request"`
	// Records is where a page holds them.
	Records *Records `json:"records,omitempty"`
	// Pagination is how one page leads to the next.
	Pagination *Pagination `json:"pagination,omitempty"`
	// Values are what a child's request takes, {parent.name}: a path in the parent's record, by name.
	Values map[string]string `json:"values"`
	// When is a jq condition on a parent that its children are asked for: (.updated_at > $start), the run's lower bound.
	When string `json:"when,omitempty"`
	// Max bounds how many parents one run may have; more is an error, not a cut.
	Max int `json:"max,omitempty" jsonschema:"minimum=1,maximum=1000000,default=10000"`
}

// Detail is one more request for a record, whose answer is the record.
type Detail struct {
	// Request is made with {record.path} of the record.
	Request *Request `json:"request"`
	// When is a jq condition on the record. Default: each.
	When string `json:"when,omitempty"`
	// Path leads to the data in the answer.
	Path string `json:"path,omitempty"`
	// Into is the member of the record that takes the answer. Default: the answer is the record.
	Into string `json:"into,omitempty"`
	// Missing says what a 404 or 410 means: the record stays as it was (keep), or there is none (drop).
	Missing string `json:"missing,omitempty" jsonschema:"enum=keep,enum=drop,default=keep"`
}

// Export is how an API that makes a file for us is asked for it.
type Export struct {
	// JobPath leads to the job's name in the answer to request; {job} below.
	JobPath string `json:"job_path"`
	// Status is the request that asks how the job does.
	Status *Request `json:"status"`
	// StatusPath leads to its state.
	StatusPath string `json:"status_path"`
	// Done are the states in which the file is there.
	Done Names `json:"done"`
	// Failed are those in which it never will be.
	Failed Names `json:"failed,omitempty"`
	// URLPath leads to the file's address in the status' answer; a list there is several files.
	URLPath string `json:"url_path,omitempty"`
	// Download is the request for the file instead.
	Download *Request `json:"download,omitempty"`
	// Credential says that the file's address gets the credential, too. Default: only where it is the API's own host.
	Credential bool `json:"credential,omitempty"`
	// Hosts are regular expressions for the host of a file that lies elsewhere.
	Hosts Names `json:"hosts,omitempty"`
	// Every is how often the job is asked for.
	Every Duration `json:"every,omitempty" jsonschema:"default=30s"`
	// Timeout is how long it may take.
	Timeout Duration `json:"timeout,omitempty" jsonschema:"default=24h"`
}

// A Snapshot finds changes by comparing with what was there at the last run.
type Snapshot struct {
	// Ignore are paths of a record that do not count as a change.
	Ignore Names `json:"ignore,omitempty"`
	// Deletes says that what is no longer there was deleted: an event each.
	Deletes bool `json:"deletes,omitempty"`
}

// RateLimit is what the API allows a credential, and how it says so.
type RateLimit struct {
	// Requests are how many it allows in each period of Per. All polls, details and hydrations of the credential share them.
	Requests int `json:"requests,omitempty" jsonschema:"minimum=1"`
	// Per is that period.
	Per Duration `json:"per,omitempty" jsonschema:"default=1m"`
	// Scope says whose the limit is: the credential's, or the source's alone.
	Scope string `json:"scope,omitempty" jsonschema:"enum=credential,enum=source,default=credential"`
	// Remaining, Limit and Reset are the headers that tell how it stands. Default: those in general use.
	Remaining string `json:"remaining_header,omitempty"`
	// Limit is the header that tells how many there are in all.
	Limit string `json:"limit_header,omitempty"`
	// Reset is the header that tells when the limit is whole again.
	Reset string `json:"reset_header,omitempty"`
	// ResetFormat is how it is written. Default: by its size.
	ResetFormat string `json:"reset_format,omitempty" jsonschema:"enum=epoch,enum=epoch_ms,enum=seconds,enum=ms,enum=http_date,enum=rfc3339"`
	// RetryAfter is the header, or body.path, that tells how long to wait. Default Retry-After.
	RetryAfter string `json:"retry_after,omitempty"`
	// Reserve is the share of the limit that is left to others: 10%.
	Reserve string `json:"reserve,omitempty"`
	// LimitedWhen is a jq condition on {body, headers, status}: the answer says that the limit is reached, whatever its status.
	LimitedWhen string `json:"limited_when,omitempty"`
	// CostPath leads to a query's cost in the body, as Shopify tells it: an object with requestedQueryCost, or throttleStatus with currentlyAvailable and restoreRate.
	CostPath string `json:"cost_path,omitempty"`
}

// RequestRetry is what of a request is tried again, and how often.
type RequestRetry struct {
	// Statuses are further statuses that pass by themselves. 408, 425, 429 and 5xx always do.
	Statuses []int `json:"statuses,omitempty"`
	// Attempts is the most made of one request, before the run fails and its job is retried.
	Attempts int `json:"attempts,omitempty" jsonschema:"minimum=1,maximum=10,default=3"`
	// ShrinkPageOn are statuses at which the page is halved and asked for again.
	ShrinkPageOn []int `json:"shrink_page_on,omitempty"`
}

// A Backfill is how an older range is read beside the live poll.
type Backfill struct {
	// Window is the range of one step. Default: incremental.window, else 1d.
	Window Duration `json:"window,omitempty"`
	// Share is how much of rate_limit it may use: 50%.
	Share string `json:"share,omitempty" jsonschema:"default=50%"`
}
