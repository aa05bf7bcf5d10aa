package load

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/guard"
	"pushpull/shared/jq"
	"pushpull/shared/rate"
)

// fieldsOf are the keys that count for each kind of destination, besides those
// that all have. A test compares it with the kinds themselves, which the command
// line would link, and with them every service's client.
var fieldsOf = map[string][]string{
	"eventbridge": {"bus", "batch", "timeout"},
	"file":        {"path"},
	"firehose":    {"stream", "batch", "timeout"},
	"http":        {"url", "method", "sign", "headers", "auth", "token", "secrets", "with", "responses", "format", "compression", "batch", "timeout", "allow_private"},
	"kinesis":     {"stream", "batch", "timeout"},
	"lambda":      {"function", "timeout"},
	"log":         {"payload"},
	"postgres":    {"url", "password", "ca", "table", "mode", "deletes", "migrate", "batch", "timeout"},
	"s3":          {"bucket", "prefix", "format", "compression", "batch", "timeout"},
	"slack":       {"url", "webhook_url", "token", "channel", "message", "timeout", "allow_private"},
	"sns":         {"topic", "batch", "timeout"},
	"sqs":         {"queue", "batch", "timeout"},
}

// checkFields says which keys are of another kind.
func (l *loader) checkFields(t thing, kind string) {
	known, ok := fieldsOf[kind]
	if !ok {
		return // the schema said so
	}
	for _, key := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(fieldsOf))...)))) {
		if !slices.Contains(known, key) {
			l.foreign(t, nil, "kind "+kind, key)
		}
	}
}

func (l *loader) checkDestination(t thing, d config.Destination) {
	l.checkFields(t, d.Kind)
	switch d.Kind {
	case "http":
		l.checkHTTP(t, d)
	case "file":
		l.checkFile(t, d)
	case "postgres":
		l.checkPostgres(t, d)
	case "slack":
		l.checkSlack(t, d)
	default:
		l.checkAWSDestination(t, d)
	}
	for _, s := range []struct {
		key  string
		refs config.Secrets
	}{{"sign", d.Sign}, {"token", d.Token}, {"password", d.Password}, {"ca", d.CA}, {"webhook_url", d.WebhookURL}} {
		l.checkReadable(t, []string{s.key}, s.refs)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Secrets)) {
		l.checkReadable(t, []string{"secrets", name}, d.Secrets[name])
	}
	if slices.Contains(fieldsOf[d.Kind], "timeout") && (d.Timeout > mostTime || d.Timeout <= 0) {
		l.problem(t, []string{"timeout"}, fmt.Sprintf("a timeout of %s", d.Timeout), "more than nothing, and at most 10m")
	}
	if r := d.Retry; r != nil {
		if r.First <= 0 {
			l.problem(t, []string{"retry", "first"}, "no wait at all before the second attempt", "write 5s")
		}
		if r.Max > mostWait || r.Max < r.First {
			l.problem(t, []string{"retry", "max"}, fmt.Sprintf("the longest wait is %s", r.Max), "no less than first, and at most 12h")
		}
		if r.Total < 0 || r.Total > mostTotal {
			l.problem(t, []string{"retry", "total"}, fmt.Sprintf("attempts over %s", r.Total), "at most 13d: a queue keeps a message for 14")
		}
	}
	l.checkGates(t, d)
}

// checkGates checks what may have a delivery wait.
func (l *loader) checkGates(t thing, d config.Destination) {
	if d.Rate != "" {
		if limit, err := rate.Parse(d.Rate); err != nil {
			l.problem(t, []string{"rate"}, err.Error(), "write 50/s, 100/m or 1000/h")
		} else if strings.Contains(d.Rate, "burst") || limit.Rate < leastRate {
			l.problem(t, []string{"rate"}, fmt.Sprintf("%q is no rate of a destination", d.Rate), "a number and a unit, such as 50/s; one an hour at least")
		}
	}
	if b := d.Breaker; b != nil {
		if b.Window < config.Duration(time.Second) || b.Window > mostWindow {
			l.problem(t, []string{"breaker", "window"}, fmt.Sprintf("a window of %s", b.Window), "1s to 1h; 1m is the default")
		}
		if b.Open < config.Duration(time.Second) || b.Open > mostWindow {
			l.problem(t, []string{"breaker", "open"}, fmt.Sprintf("open for %s", b.Open), "1s to 1h; 30s is the default")
		}
	}
}

const (
	mostTotal  = config.Duration(13 * 24 * time.Hour)
	mostWindow = config.Duration(time.Hour)
	leastRate  = 1.0 / 3600
)

func (l *loader) checkFile(t thing, d config.Destination) {
	if d.Path == "" {
		l.missing(t, []string{"path"}, "the file that events are appended to, such as delivered.ndjson")
	}
	if l.inAWS {
		l.warn(t, []string{"kind"}, "in AWS a file is in the function's own /tmp, gone when it is", "use http")
	}
}

func (l *loader) checkHTTP(t thing, d config.Destination) {
	switch what, mend := wrongURL(d.URL, d.AllowPrivate); {
	case d.URL == "":
		l.missing(t, []string{"url"}, "where it listens")
	case what != "":
		l.problem(t, []string{"url"}, what, mend)
	}
	if u, err := url.Parse(d.URL); err == nil && !d.AllowPrivate && private(u.Hostname()) {
		l.problem(t, []string{"url"}, "a private or loopback address", "add allow_private: true, if that is meant")
	}
	for name, value := range d.Headers {
		l.checkHeader(t, []string{"headers", name}, name, value)
	}
	if d.Auth != nil {
		l.checkAPIAuth(t, nil, d.Auth, apiauth.Options{Token: d.Token, Secrets: d.Secrets, With: d.With})
		if d.Auth.In == "body" {
			l.problem(t, []string{"auth", "in"}, "the body is the event's own", "header, query or cookie")
		}
	} else {
		for _, key := range []string{"token", "secrets", "with"} {
			l.foreign(t, nil, "an http destination without auth", key)
		}
	}
	if d.Batch == nil {
		l.foreign(t, nil, "an http destination without batch", "format")
	}
	if d.Format == "parquet" {
		l.problem(t, []string{"format"}, "a request has no parquet", "json or ndjson")
	}
	if d.Compression == "zstd" {
		l.problem(t, []string{"compression"}, "few servers read a request in zstd", "gzip or none")
	}
}

// private reports whether a host is written as an address that deliveries do
// not go to unasked. What a name resolves to is looked at when it is delivered.
func private(host string) bool {
	ip := net.ParseIP(host)
	return guard.Loopback(host) || ip != nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
}

func (l *loader) checkPostgres(t thing, d config.Destination) {
	const like = "write postgres://user@host:5432/database"
	u, err := url.Parse(d.URL)
	switch {
	case d.URL == "":
		l.missing(t, []string{"url"}, "the database, such as postgres://user@host:5432/database")
	case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "":
		l.problem(t, []string{"url"}, "not the address of a database", like)
	case u.Query().Has("password") || hasPassword(u):
		l.problem(t, []string{"url"}, "a password in the address (it is not shown)", "keep it elsewhere and write where, in password: ssm:/pushpull/"+t.path[1]+"/password")
		l.problems[len(l.problems)-1].Text = ""
	case strings.Trim(u.Path, "/") == "":
		l.problem(t, []string{"url"}, "no database in the address", like)
	}
	if err == nil {
		l.checkPostgresSettings(t, d, u)
	}
	if strings.Count(d.Table, ".") > 1 || slices.Contains(strings.Split(d.Table, "."), "") && d.Table != "" {
		l.problem(t, []string{"table"}, "not the name of a table", "events, or its schema before it: app.events")
	}
	if d.Mode != "entities" {
		l.foreign(t, nil, "a table of events", "deletes")
	}
}

// checkPostgresSettings looks at those settings of the address that would keep the
// destination from being opened.
func (l *loader) checkPostgresSettings(t thing, d config.Destination, u *url.URL) {
	modes := []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	mode := u.Query().Get("sslmode")
	switch {
	case u.Query().Has("sslmode") && !slices.Contains(modes, mode):
		l.problem(t, []string{"url"}, fmt.Sprintf("sslmode %q is not one of %s", mode, strings.Join(modes, ", ")), didYouMeanOnly(mode, modes))
	case len(d.CA) > 0 && mode != "verify-full" && (mode != "" || guard.Loopback(u.Hostname())):
		l.problem(t, []string{"ca"}, "the server's certificate is not verified", "write ?sslmode=verify-full in url, or leave ca out")
	}
	if n, err := strconv.Atoi(u.Query().Get("pool_max_conns")); u.Query().Has("pool_max_conns") && (err != nil || n < 1) {
		l.problem(t, []string{"url"}, "pool_max_conns is not a number of connections", "write 4")
	}
	for i, pattern := range d.Deletes {
		if _, err := path.Match(pattern, ""); err != nil {
			l.problem(t, l.element(t, "deletes", i), fmt.Sprintf("%q is no pattern of types", pattern), "write *.deleted")
		}
	}
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has
}

func (l *loader) checkSlack(t thing, d config.Destination) {
	switch {
	case len(d.WebhookURL) == 0 && len(d.Token) == 0:
		l.missing(t, []string{"webhook_url"}, "the reference to an incoming webhook's address; or token and channel of an app")
	case len(d.WebhookURL) > 0:
		l.foreign(t, nil, "a slack destination with a webhook, which says where it posts", "token", "channel", "url")
	case d.Channel == "":
		l.missing(t, []string{"channel"}, "where the app posts, such as C0123456789")
	}
	if what, mend := wrongURL(d.URL, d.AllowPrivate); d.URL != "" && what != "" {
		l.problem(t, []string{"url"}, what, mend)
	}
	if d.Message == "" {
		return
	}
	if _, err := jq.Compile(d.Message); err != nil {
		l.problem(t, []string{"message"}, err.Error(), "")
	}
}
