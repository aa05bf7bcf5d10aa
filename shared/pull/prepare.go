package pull

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/config"
	"pushpull/shared/jq"
)

// prepare compiles what the configuration says. Its errors begin with the key below poll.
func (s *Source) prepare() (err error) {
	p := s.poll
	if s.list, err = s.newList("request", *p.Request, p.Records, p.Pagination, s.expired()); err != nil {
		return err
	}
	if p.Parent != nil {
		if p.Parent.Request == nil {
			return fmt.Errorf("parent.request is missing: say its path")
		}
		l, err := s.newList("parent.request", *p.Parent.Request, p.Parent.Records, p.Parent.Pagination, nil)
		if err != nil {
			return err
		}
		s.parent = &l
		if s.only, err = compile("parent.when", p.Parent.When, bounds...); err != nil {
			return err
		}
	}
	if p.Detail != nil {
		if s.detail, err = s.endpoint("detail.request", p.Detail.Request, nil); err != nil {
			return err
		}
		if s.detailed, err = compile("detail.when", p.Detail.When, bounds...); err != nil {
			return err
		}
	}
	if p.Pagination != nil && p.Pagination.Seed != nil {
		if s.seed, err = s.endpoint("pagination.seed", &p.Pagination.Seed.Request, nil); err != nil {
			return err
		}
	}
	if p.Export != nil {
		if err := s.prepareExport(*p.Export); err != nil {
			return err
		}
	}
	if p.Records != nil {
		if s.each, err = compile("records.each", p.Records.Each, bounds...); err != nil {
			return err
		}
		if s.deleted, err = compile("records.deleted_when", p.Records.DeletedWhen, bounds...); err != nil {
			return err
		}
	}
	return nil
}

// expired is how the API refuses what is too old. A sync token always may be.
func (s *Source) expired() *config.OnExpired {
	if p := s.poll.Pagination; s.inc.OnExpired == nil && p != nil && p.Type == "sync_token" {
		return &config.OnExpired{}
	}
	return s.inc.OnExpired
}

func (s *Source) prepareExport(e config.Export) (err error) {
	for _, h := range e.Hosts {
		pattern, err := regexp.Compile(`^(?:` + h + `)$`)
		if err != nil {
			return fmt.Errorf("export.hosts: %w", err)
		}
		s.hosts = append(s.hosts, pattern)
	}
	if s.status, err = s.endpoint("export.status", e.Status, nil); err != nil {
		return err
	}
	download := e.Download
	if download == nil {
		download = &config.Request{MaxBytes: s.poll.Request.MaxBytes, Timeout: s.poll.Request.Timeout}
		if e.URLPath == "" {
			return fmt.Errorf("export needs url_path or download: where is the file")
		}
	}
	s.file, err = s.endpoint("export.download", download, nil)
	return err
}

func (s *Source) newList(key string, req config.Request, records *config.Records, pages *config.Pagination, expired *config.OnExpired) (l list, err error) {
	e, err := s.endpoint(key, &req, expired)
	if err != nil {
		return l, err
	}
	l.endpoint = *e
	if records != nil {
		l.records = *records
	}
	if pages != nil {
		l.pages = *pages
	}
	if l.records.JQ != "" {
		if l.jq, err = wholePage.Compile(l.records.JQ); err != nil {
			return l, fmt.Errorf("records.jq: %w", err)
		}
	}
	l.stop, err = compile("pagination.stop_when", l.pages.StopWhen)
	return l, err
}

func (s *Source) endpoint(key string, req *config.Request, expired *config.OnExpired) (*endpoint, error) {
	if req == nil {
		return nil, fmt.Errorf("%s is missing: say its path", key)
	}
	f, err := newForm(key, *req, s.base, s.poll.With)
	if err != nil {
		return nil, err
	}
	c := api.Config{
		Base: s.base, Hosts: slices.Concat(s.poll.Request.Hosts, req.Hosts), RateLimit: s.poll.RateLimit, Retry: s.poll.Retry,
		Conditional: s.poll.Conditional, Expired: expired, Timeout: req.Timeout.Std(), MaxBytes: req.MaxBytes,
	}
	do, err := api.New(c, s.o.API)
	if err != nil {
		return nil, err
	}
	none, err := jq.Compile("empty")
	return &endpoint{form: f, do: do, none: none}, err
}

// wholePage bounds records.jq, which makes all records of a page at once.
var wholePage = jq.Options{Timeout: 10 * time.Second, Values: 1_000_000}

// bounds are the variables of an expression over a record: as they are sent in a request.
var bounds = []string{"start", "now"}

// compile compiles an expression; nil where there is none.
func compile(key, expr string, vars ...string) (*jq.Program, error) {
	if expr == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	p, err := jq.Compile(expr, vars...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return p, nil
}
