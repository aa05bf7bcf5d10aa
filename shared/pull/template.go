package pull

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pushpull/shared/config"
)

var placeholder = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_.-]*\}`)

// expand fills {name} from values, each written by escape (nil: as it stands).
func expand(template string, values map[string]string, escape func(string) string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(template, func(p string) string {
		name := p[1 : len(p)-1]
		v, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		if escape != nil {
			return escape(v)
		}
		return v
	})
	if len(missing) > 0 {
		slices.Sort(missing)
		return "", fmt.Errorf("{%s} has no value: give it one in poll.with", strings.Join(slices.Compact(missing), "}, {"))
	}
	return out, nil
}

// firstURL is base_url, path and params, with the values of with in them.
func firstURL(poll config.Poll) (*url.URL, error) {
	base, err := expand(poll.BaseURL, poll.With, nil)
	if err != nil {
		return nil, fmt.Errorf("poll.base_url: %w", err)
	}
	path, err := expand(poll.Request.Path, poll.With, url.PathEscape)
	if err != nil {
		return nil, fmt.Errorf("poll.request.path: %w", err)
	}
	if path != "" && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "?") {
		path = "/" + path
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/") + path)
	if err != nil {
		return nil, fmt.Errorf("poll.base_url and poll.request.path make no address: %w", err)
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("poll.base_url %q is not an http or https address: write https://api.example.com", poll.BaseURL)
	}
	query := u.Query()
	for name, value := range poll.Request.Params {
		v, err := expand(value, poll.With, nil)
		if err != nil {
			return nil, fmt.Errorf("poll.request.params.%s: %w", name, err)
		}
		query.Set(name, v)
	}
	u.RawQuery = query.Encode()
	return u, nil
}
