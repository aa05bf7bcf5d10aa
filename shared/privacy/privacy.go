// Package privacy hides what is personal in the data of events, by path. Its one
// invariant: what a rule names does not get out as it was. Where data have no
// form in which a path leads anywhere, none of them get out.
package privacy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// Secrets resolves references; secret.Store does.
type Secrets interface {
	All(ctx context.Context, refs []string) ([]string, error)
}

// KMS makes a call of the AWS JSON protocol; awslite.Client does.
type KMS interface {
	JSON(ctx context.Context, service, target, version string, in []byte, out any) error
}

// Options are what rules work with.
type Options struct {
	Secrets Secrets
	KMS     KMS // nil where nothing is encrypted with it
	Now     func() time.Time
	Rand    io.Reader // of nonces; nil is that of the system, and only a test's is another
}

// An Env opens rules, which share its data keys. It is safe for concurrent use.
type Env struct {
	o Options

	mu   sync.Mutex
	keys map[string]*dataKey // by what they are made from
}

// NewEnv makes an Env.
func NewEnv(o Options) *Env {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Env{o: o, keys: map[string]*dataKey{}}
}

// Rules hide what a source's or a route's privacy names. They are safe for
// concurrent use; nil hides nothing.
type Rules struct {
	env  *Env
	root *node
	key  config.Secrets
	kms  string

	needsKey, needsData bool
}

// Open makes rules ready. Its error names the path that is wrong.
func (env *Env) Open(p *config.Privacy) (*Rules, error) {
	if p == nil {
		return nil, nil //nolint:nilnil // nothing is hidden
	}
	root, err := compile(*p)
	if err != nil {
		return nil, err
	}
	return &Rules{
		env: env, root: root, key: p.Key, kms: p.KMS,
		needsKey: len(p.Hash)+len(p.Tokenise) > 0, needsData: len(p.Encrypt) > 0,
	}, nil
}

// ErrNotRead is returned for an event whose data are still in the claim check.
var ErrNotRead = errors.New("the data are not there to hide anything in")

// Apply hides what the rules name in the event's data. Whole tells that all of
// them were: they are neither JSON nor a form. An error is of the key, and passes
// when that can be had again; it has none of the data in it.
func (r *Rules) Apply(ctx context.Context, e event.Event) (hidden event.Event, whole bool, err error) {
	if r == nil || len(e.Data) == 0 && e.DataRef == "" {
		return e, false, nil
	}
	if e.Data == nil {
		return e, false, ErrNotRead
	}
	w := &writer{ctx: ctx, rules: r}
	if err := w.prepare(); err != nil {
		return e, false, fmt.Errorf("privacy: %w", err)
	}
	switch {
	case event.ValidJSON(e.Data):
		if data := w.value(nil, gjson.ParseBytes(e.Data), r.root); w.changed {
			e.Data, e.DataRef = data, "" // in the claim check they are as they were
		}
	case w.form(&e):
	default:
		return e.With([]byte("null")), true, nil
	}
	if w.err != nil {
		return e, false, fmt.Errorf("privacy: %w", w.err)
	}
	return e, false, nil
}

// form hides fields of a form, and what is in those that are JSON.
func (w *writer) form(e *event.Event) bool {
	media, _, _ := strings.Cut(e.ContentType, ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
		return false
	}
	fields, err := url.ParseQuery(string(e.Data))
	if err != nil {
		return false
	}
	for name, values := range fields {
		n := w.rules.root.members[name]
		switch {
		case n == nil:
			continue
		case n.do == drop:
			delete(fields, name)
			w.changed = true
			continue
		}
		for i, value := range values {
			values[i] = w.field(value, n)
		}
	}
	if w.changed {
		e.Data, e.DataRef = []byte(fields.Encode()), ""
	}
	return true
}

func (w *writer) field(value string, n *node) string {
	if n.do == nothing {
		if !event.ValidJSON([]byte(value)) {
			return value
		}
		return string(w.value(nil, gjson.Parse(value), n))
	}
	replaced := w.replace(nil, gjson.Result{Type: gjson.String, Str: value, Raw: quote(value)}, n)
	return gjson.ParseBytes(replaced).String()
}
