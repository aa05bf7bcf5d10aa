package pull

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
)

const (
	defaultAsk    = 30 * time.Second
	defaultExport = day
)

// export makes the API make a file, waits for it, and reads it: one step of these.
func (r *run) export(ctx context.Context) (bool, error) {
	switch e := r.p.Export; {
	case e.Job == "":
		return r.create(ctx)
	case r.files == nil:
		return r.ask(ctx)
	case e.File < len(r.files):
		return r.download(ctx, r.files[e.File])
	default:
		page := r.page()
		r.p.Export, r.files = ExportProgress{}, nil
		err := r.finish(&page, lead{}, nil)
		return page.More, errors.Join(err, r.give(page))
	}
}

// create asks for the export.
func (r *run) create(ctx context.Context) (bool, error) {
	req, err := r.request(&r.s.list, Query{Start: r.p.Start, End: r.p.End})
	if err != nil {
		return false, err
	}
	req.Once = true
	doc, a, err := r.s.list.document(ctx, req)
	if err != nil {
		return false, err
	}
	if again, err := r.clock(a.Server, req); again || err != nil {
		return again, err
	}
	job := text(doc.Get(jsonPath(r.s.poll.Export.JobPath)))
	if job == "" {
		return false, permanent(0, "the answer to poll.request names no job at %q: check poll.export.job_path", r.s.poll.Export.JobPath)
	}
	if err := kept("poll.export.job_path", job); err != nil {
		return false, err
	}
	r.p.Export = ExportProgress{Job: job, Created: a.Server}
	return r.wait()
}

// wait ends this part of the run: whoever reads it comes back.
func (r *run) wait() (bool, error) {
	page := r.page()
	page.More, page.Next = true, r.state()
	if page.Wait = r.s.poll.Export.Every.Std(); page.Wait <= 0 {
		page.Wait = defaultAsk
	}
	return false, r.give(page)
}

// ask asks how the export does.
func (r *run) ask(ctx context.Context) (bool, error) {
	e := r.s.poll.Export
	req, err := r.s.status.form.fill(r.lookup(none), nil, false)
	if err != nil {
		return false, err
	}
	doc, a, err := r.s.status.document(ctx, req)
	if r.resumed && absent(err) {
		r.resumed, r.p.Export = false, ExportProgress{} // it was kept for less time than we took
		return true, nil
	}
	if err != nil {
		return false, err
	}
	state := text(doc.Get(jsonPath(e.StatusPath)))
	timeout := e.Timeout.Std()
	if timeout <= 0 {
		timeout = defaultExport
	}
	switch {
	case slices.Contains(e.Done, state):
		r.files = r.s.files(doc)
		return true, nil
	case slices.Contains(e.Failed, state):
		return false, r.abandon(permanent(0, "the export failed: its state is %q", clip(state)))
	case a.Server.Sub(r.p.Export.Created) > timeout:
		return false, r.abandon(permanent(0, "the export is not done after %v: its state is %q", timeout, clip(state)))
	default:
		return r.wait()
	}
}

// abandon forgets the run under way, so that the next one asks for another export.
func (r *run) abandon(err error) error {
	page := r.page()
	page.Next, page.More = r.st, true
	return errors.Join(r.give(page), err)
}

// files are the addresses of the export's files.
func (s *Source) files(doc gjson.Result) []string {
	if s.poll.Export.URLPath == "" {
		return []string{""} // that of export.download
	}
	files := []string{}
	found := doc.Get(jsonPath(s.poll.Export.URLPath))
	if found.IsArray() {
		for _, one := range found.Array() {
			if link := text(one); link != "" { // a null has no file
				files = append(files, link)
			}
		}
	} else if one := text(found); one != "" {
		files = append(files, one)
	}
	return files
}

// download reads one file.
func (r *run) download(ctx context.Context, link string) (bool, error) {
	req, err := r.fileRequest(link)
	if err != nil {
		return false, err
	}
	a, err := r.s.file.do.Do(ctx, req)
	if final, ok := errors.AsType[*api.Permanent](err); ok && link != "" && r.anew < maxRestarts &&
		slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone}, final.Status) {
		r.anew++
		r.files = nil // an address is good for a while only: the status gives a new one
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer a.Body.Close() //nolint:errcheck // it was only read
	l := r.s.list
	l.endpoint = *r.s.file
	b, err := r.take(ctx, a, l)
	if err != nil {
		return false, err
	}
	f := lead{total: -1}
	if link == "" {
		if f, err = r.s.follow(ctx, l, r.leaf(req, a, b)); err != nil {
			return false, b.undo(err)
		}
	}
	page, err := b.final(ctx)
	if err != nil {
		return false, err
	}
	if err := kept("poll.pagination.cursor_path", f.next); err != nil {
		return false, b.undo(err)
	}
	r.p.visit(r.p.Position)
	switch {
	case f.next == "":
		r.p.Query = Query{Start: r.p.Start, End: r.p.End}
		r.p.Export.File++
	case r.p.been(f.next):
		return false, b.undo(permanent(0, "the export's file leads back to a part of its own: check poll.pagination"))
	default:
		r.p.Skip, r.p.Prefix, r.p.Position = 0, "", f.next
	}
	page.Next, page.More = r.state(), true
	return true, r.give(page)
}

// fileRequest is that of a file: at its address, or by export.download.
func (r *run) fileRequest(link string) (api.Request, error) {
	find := r.lookup(none)
	if link == "" {
		extra := map[string]given{}
		if param := r.s.list.pages.CursorParam; param != "" && r.p.Position != "" {
			extra[param] = given{text: r.p.Position}
		}
		return r.s.file.form.fill(find, extra, r.p.Position != "")
	}
	u, err := r.s.base.Parse(link)
	if err != nil {
		return api.Request{}, permanent(0, "the export's file has no address: check poll.export.url_path")
	}
	req, err := r.s.file.form.rest(u, find)
	if r.s.ours(u) || r.s.poll.Export.Credential {
		return req, err
	}
	if !r.s.elsewhere(u) {
		return req, permanent(0, "the export's file is at %s, which poll.export.hosts does not allow", clip(u.Host))
	}
	req.Public = true
	req.Elsewhere = r.s.elsewhere
	return req, err
}

// elsewhere tells whether a file may be at an address that is not the API's.
func (s *Source) elsewhere(u *url.URL) bool {
	if len(s.hosts) == 0 {
		return true
	}
	return slices.ContainsFunc(s.hosts, func(h *regexp.Regexp) bool { return h.MatchString(u.Hostname()) })
}
