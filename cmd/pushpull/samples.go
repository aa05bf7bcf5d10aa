package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// samples are those that there are for a source's provider.
func samples(hook config.Webhook) ([]provider.Sample, error) {
	if hook.Provider == "" {
		return nil, nil
	}
	preset, err := provider.Load(hook.Provider)
	if err != nil {
		return nil, err
	}
	return preset.Samples, nil
}

// choose finds the sample of a type: its own, or one that can be of any.
func choose(c *cobra.Command, source, typ string, found []provider.Sample) (provider.Sample, error) {
	if len(found) == 0 {
		return provider.Sample{}, fmt.Errorf("there is no sample for %s: send a body of your own with `pushpull send %s FILE`", source, source)
	}
	types := map[string]bool{}
	for _, s := range found {
		if s.Type == typ {
			return s, nil
		}
		types[s.Type] = true
	}
	names := slices.Sorted(maps.Keys(types))
	if typ == "" {
		return provider.Sample{}, usage(c, "TYPE is missing: there are %s", strings.Join(names, ", "))
	}
	if near, ok := load.Nearest(typ, names); ok {
		return provider.Sample{}, usage(c, "there is no sample of type %q: did you mean %q?", typ, near)
	}
	for _, s := range found {
		if s.AnyType() {
			return s, nil
		}
	}
	return provider.Sample{}, usage(c, "there is no sample of type %q: there are %s", typ, strings.Join(names, ", "))
}

// request is a filled-in sample as its provider sends it, unsigned.
func request(s provider.Sample) webhook.Request {
	r := webhook.Request{Method: s.Method, RawQuery: s.Query, Body: []byte(s.Body)}
	if r.Method == "" {
		r.Method = "POST"
	}
	switch s.ContentType {
	case "":
		r.Header.Set("Content-Type", "application/json")
	case "none":
	default:
		r.Header.Set("Content-Type", s.ContentType)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		r.Header.Set(name, s.Headers[name])
	}
	return r
}
